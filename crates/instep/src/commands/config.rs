//! The commands about configurations.

pub mod check;
pub mod diff;
mod refused;
pub mod schema;
pub mod show;

pub use refused::refused;
