//! The platform from outside: over HTTP, and into its files as anybody can look into them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;
mod rig;
mod services;
