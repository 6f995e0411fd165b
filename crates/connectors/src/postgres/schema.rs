//! What tables of a database look like, and whether their changes can be followed.
//!
//! ```text
//!   query      everything about some tables, asked in one statement
//!   facts      its rows, read
//!   fit        whether a table can be followed, and what it looks like then
//!   key        the columns that tell its rows apart, in the stream as well
//!   texts      how what is text to us compares at the server
//!   version    the number of a table as it looks now
//!   described  a table that can be followed
//!   unfit      why one cannot
//! ```
//!
//! Invariant: the server refuses no UPDATE or DELETE of a table that was found fit, when it is
//! published as [`Described::only`] names it. So whoever writes it never hears of us.

mod described;
mod facts;
mod fit;
mod key;
mod query;
mod texts;
mod unfit;
mod version;

use super::session::Session;
use super::trouble::Trouble;
use super::types::Types;
pub use described::{Described, DescribedColumn, Leaf, Order};
pub(super) use facts::{CollationFacts, ColumnFacts, Facts};
use model::TableName;
pub(super) use texts::{compares, order};
pub use unfit::{Unfit, Why};
pub(super) use version::of as version;

/// Describes the tables of these names, in their order, as one snapshot has them. `types` are those
/// of the same database; a table may have one that is newer, and says so.
pub async fn describe(
    session: &Session,
    types: &Types,
    names: &[TableName],
) -> Result<Vec<Result<Described, Unfit>>, Trouble> {
    let facts = facts(session, names).await?;
    let judged = names.iter().zip(facts).map(|(name, facts)| fit::judge(name, facts, types));
    Ok(judged.collect())
}

/// What the server says about the tables of these names, in their order; nothing of one that is not
/// there.
pub(super) async fn facts(
    session: &Session,
    names: &[TableName],
) -> Result<Vec<Option<Facts>>, Trouble> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let rows = session.query(&query::of(names)).await?;
    let odd = || Trouble::malformed("the server describes tables in a way that is not known");
    Facts::read(&rows, names.len()).ok_or_else(odd)
}
