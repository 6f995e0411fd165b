//! SQLite as one side of a comparison, on real files.

mod conditions;
mod keys;
mod looking;
mod numbers;
mod rig;
mod strange;
mod traces;
mod values;
mod writers;
