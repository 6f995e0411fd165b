//! A small quiz platform, as teams have one: questions are written in one service, and two others
//! keep what they need of them, each in a store of its own.
//!
//! ```text
//!   addresses   one file that says where each service listens and where its stores are
//!   platform    starts the services of such a file, and stops them
//!   questions   the question service: two shards, and a store of totals
//!   quiz        the quiz service: its own copy of the questions
//!   reporting   the reporting service: a table of counts
//!   caller      how services call each other; network: how such calls fail
//!   store       a SQLite file on a thread of its own
//! ```
//!
//! In the mode `legacy` the question service carries each change to the others itself, by second
//! writes, and the numbers are kept by adding and taking away one. In the mode `followed` nobody here
//! writes a copy or a count: Instep does, from outside, into the same files. The platform knows
//! nothing of it but the columns of the tables, and answers from them whether it runs or not.

mod addresses;
mod caller;
mod count;
mod network;
mod platform;
mod questions;
mod quiz;
mod reporting;
mod store;
mod trouble;

pub use addresses::{Addresses, Mode, QuestionService, Service};
pub use caller::Caller;
pub use network::Network;
pub use platform::Platform;
pub use trouble::Trouble;
