//! A small transaction that goes to the server in one piece, since each part would wait for the answer
//! to the one before.
//!
//! Where it has to be seen that a row was there, the commit waits for that. If anything is unusual
//! nothing of it is left, and it is done again step by step.

use super::sets::{Does, Set};
use super::statements::{Statement, statement};
use super::trouble::{Failure, of_rows, of_server};
use super::write::Writing;
use futures_util::future::{join, join_all};
use model::Write;

/// So many sets go out together.
const SETS_MAX: usize = 16;

/// So many writes are few.
pub(super) const WRITES_MAX: usize = 100;

/// Begins, writes and commits; false if it is to be done step by step, and nothing is left of it.
pub(super) async fn run(
    writing: &Writing<'_>,
    (begin, sets, end): (&str, &[Set], &str),
    writes: &[Write],
) -> Result<bool, Failure> {
    let lane = writing.lane.as_str();
    let statements = sets.iter().map(|set| statement(set, writes, lane));
    let Ok(statements) = statements.collect::<Result<Vec<_>, _>>() else { return Ok(false) };
    if statements.len() > SETS_MAX {
        return Ok(false);
    }
    let session = writing.session;
    let write = |statement| async move {
        match statement {
            Statement::Plain { sql, parameters } => session.write(&sql, &parameters).await,
            Statement::Bulk { sql, lines } => session.copy_in(&sql, lines).await,
        }
    };
    // Each sends what it has when it is first asked, in this order.
    let written = join_all(statements.into_iter().map(write));
    let begun_and_written = join(session.query(begin), written);
    let looks = sets.iter().any(has_to_be_seen);
    let ((begun, written), committed) = match looks {
        true => (begun_and_written.await, None),
        false => {
            let (first, committed) = join(begun_and_written, session.query(end)).await;
            (first, Some(committed))
        }
    };
    begun.map_err(|trouble| of_server(writing.access, trouble))?;
    let mut is_as_meant = true;
    for (set, written) in sets.iter().zip(written) {
        match written.map_err(|trouble| of_rows(writing.access, trouble)) {
            Ok(rows) => is_as_meant &= !has_to_be_seen(set) || rows >= set.writes.len() as u64,
            Err(Failure::Refused(_)) => is_as_meant = false,
            // What comes after a refusal fails for that alone.
            Err(fault) if is_as_meant => return Err(fault),
            Err(_) => {}
        }
    }
    if !is_as_meant {
        writing.note("rollback").await?;
        return Ok(false);
    }
    let committed = match committed {
        Some(committed) => committed,
        None => session.query(end).await,
    };
    committed.map_err(|trouble| writing.of_commit(trouble))?;
    Ok(true)
}

/// Whether the number of rows says more than that nothing went wrong.
fn has_to_be_seen(set: &Set) -> bool {
    let layout = &set.layout;
    match set.does {
        Does::Update | Does::Patch | Does::Move => true,
        Does::Put | Does::Insert => layout.shard.is_some() || layout.has_triggers,
        Does::Delete => layout.has_triggers,
        Does::Empty => false,
    }
}
