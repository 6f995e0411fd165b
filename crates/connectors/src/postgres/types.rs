//! PostgreSQL's types and our values, both ways, as text.
//!
//! ```text
//!   form      what a type becomes
//!   catalog   which type of a database becomes what
//!   read      text, as the server writes it, to a value
//!   write     a value to text, as the server takes it
//!   times  array  scan     dates and times; arrays; piece by piece
//!   page      the table of it for the reference
//! ```
//!
//! The text is that of the settings in `fixed.rs`. Invariant: what was read and is written again is
//! the same to the server. What a value cannot hold stays text, and is never bent until it fits.

mod array;
mod catalog;
mod form;
mod page;
mod read;
mod scan;
mod times;
mod write;

pub use catalog::{Known, Types};
pub use form::Form;
pub(super) use form::is_plain_text;
pub use page::page;
pub use read::{NoValue, read};
pub(super) use write::put;
pub use write::{NoText, write};

#[cfg(test)]
mod tests;
