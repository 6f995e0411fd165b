//! The routes, one file each: from a request to the engine and back to an answer.

pub(crate) mod copies;
pub(crate) mod count;
pub(crate) mod counts;
pub(crate) mod failures;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod standing;
pub(crate) mod status;
