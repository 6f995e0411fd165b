//! One suite per port. A suite takes the implementation's claims as data and runs what they imply:
//! an implementation is done when its suite is green.

pub mod inspect;
pub mod log;
pub mod rows;
pub mod source;
pub mod target;
