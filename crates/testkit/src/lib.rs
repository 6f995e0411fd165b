//! Doubles for tests: honest memory systems behind the ports, a disk that can fail, and the
//! conformance suites that every implementation of a port has to pass.
//!
//! Never part of the shipped binary.

pub mod conformance;
pub mod disk;
pub mod faulty;
pub mod fuzz;
pub mod memory;
pub mod offload;
pub mod postgres;
