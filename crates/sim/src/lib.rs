//! Seeded worlds: the whole engine on one thread, in virtual time, over a disk and servers that
//! fail in every way we know, judged after every step by an oracle that shares no code with it.
//!
//! ```text
//!   campaign     many seeds over the cores, and what they reached together
//!   └─ world     one seed: steps, faults, healing, verdict
//!      ├─ setup      what this seed switches on, and how much of it
//!      ├─ workload   transactions at the source, told to the truth as well
//!      ├─ process    the engine as a process that can be killed and started; mount: its disk
//!      ├─ keep       its catalog and its state, which are lost in the same ways
//!      ├─ counting   what is counted, said once to the engine and once to the oracle
//!      ├─ faults     what fired, and the replies of failing services
//!      ├─ plants     bugs put in on purpose, each with the promise that must catch it
//!      └─ oracle     the truth and the judges; knows nothing of the engine
//! ```
//!
//! The same seed gives the same world, to the last step. Never part of the shipped binary.

pub mod campaign;
pub mod counting;
pub mod faults;
pub mod keep;
pub mod mount;
pub mod oracle;
pub mod plants;
pub mod process;
pub mod random;
pub mod setup;
pub mod trace;
pub mod workload;
pub mod world;
