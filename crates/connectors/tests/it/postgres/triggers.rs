//! The source without a slot: triggers record what was touched.

mod conformance;
mod rows;
mod storm;
