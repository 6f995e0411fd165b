//! `instep verify` from outside: what it says, how it exits, and that it leaves no trace.

mod again;
mod alike;
mod answers;
mod configured;
mod mended;
mod postgres;
mod refusals;
mod rig;
