//! Trim: takes rows out of an outbox once they are durable elsewhere.
//!
//! Invariant: what is not confirmed stays (OB4). A snapshot is noted, and then the end of the log, so
//! that every commit which the snapshot sees lies before it. Once everything up to there is confirmed,
//! what the snapshot sees may go, and not before the tables were found to be told of in between. A
//! transaction that was open then is not in it, however low the numbers of its rows. What was there
//! before its kind was followed stays too: no stream told of it.

use super::witness::Witness;
use crate::postgres::lsn::Lsn;
use crate::postgres::quote;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Code, TableName};

/// Trims an outbox, look by look.
#[derive(Debug, Default)]
pub(super) struct Trim {
    noted: Option<Noted>,
    /// Whether it was told already that the server refuses it.
    is_refused: bool,
}

/// What may go once everything up to `end` is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Noted {
    snapshot: String,
    end: Lsn,
}

/// Rows that are taken out in one transaction, and how many of these in one look.
const BATCH_ROWS: u64 = 5_000;
const BATCHES_MAX: usize = 10;

impl Trim {
    /// Takes out what may go by now, of an outbox of this name in SQL; `witness` was found to hold just
    /// now, for everything that was done before. What a person should know is given.
    pub(super) async fn look(
        &mut self,
        session: &Session,
        outbox: (&TableName, &str),
        witness: &Witness,
        confirmed: Lsn,
    ) -> Result<Option<(Code, String)>, Trouble> {
        if let Some(noted) = self.noted.take_if(|noted| noted.end <= confirmed) {
            match take_out(session, outbox.1, witness, &noted.snapshot).await {
                Ok(true) => {}
                Ok(false) => self.noted = Some(noted),
                Err(trouble) => {
                    session.query("rollback").await?;
                    return Ok(self.refused(outbox.0, &trouble));
                }
            }
        }
        if self.noted.is_none() {
            self.noted = Some(note(session).await?);
        }
        Ok(None)
    }

    /// What to say about a refusal: nothing if it passes by itself, and nothing twice.
    fn refused(&mut self, outbox: &TableName, trouble: &Trouble) -> Option<(Code, String)> {
        let refused = trouble.refused()?;
        let (code, more) = match refused.sqlstate.as_str() {
            // It is locked, or takes too long.
            "55P03" | "57014" => return None,
            "42501" => (
                Code::PostgresPrivilege,
                format!("; grant select, delete on {outbox} to this role"),
            ),
            _ => (Code::PostgresRefused, String::new()),
        };
        let what = format!("the outbox {outbox} is not trimmed and grows: {trouble}{more}");
        (!std::mem::replace(&mut self.is_refused, true)).then_some((code, what))
    }
}

async fn note(session: &Session) -> Result<Noted, Trouble> {
    // Two statements: the second runs when the snapshot of the first was taken.
    let ask = "select pg_current_snapshot(); select pg_current_wal_insert_lsn()";
    let mut cells = session.query(ask).await?.into_iter().flatten().flatten();
    let mut next = || cells.next().ok_or_else(|| Trouble::malformed("a snapshot has no place"));
    let (snapshot, end) = (next()?, next()?);
    let odd = |_| Trouble::malformed("the server cannot say how far it is");
    Ok(Noted { snapshot, end: end.parse().map_err(odd)? })
}

/// Takes out what a snapshot sees; whether that was all.
async fn take_out(
    session: &Session,
    outbox: &str,
    witness: &Witness,
    snapshot: &str,
) -> Result<bool, Trouble> {
    let Some(delete) = delete(outbox, witness, snapshot) else { return Ok(true) };
    // Whether it is done at all is not worth waiting for a disk or a standby.
    let batch = format!(
        "begin; set local lock_timeout = '1s'; set local statement_timeout = '5s';
         set local synchronous_commit = off; {delete}; commit"
    );
    for _ in 0..BATCHES_MAX {
        let rows = session.query(&batch).await?;
        let count = rows.into_iter().flatten().flatten().next().and_then(|it| it.parse().ok());
        let count: u64 = count.ok_or_else(|| Trouble::malformed("a number of rows is none"))?;
        if count < BATCH_ROWS {
            return Ok(true);
        }
    }
    Ok(false)
}

/// PURE: the statement that takes rows out and counts them; none if there can be no such rows.
fn delete(outbox: &str, witness: &Witness, snapshot: &str) -> Option<String> {
    let kinds = witness.kinds().map(|(kind, since)| {
        format!("(kind collate \"C\" = {} and xid >= '{since}'::xid8)", quote::text(kind))
    });
    let kinds: Vec<_> = kinds.collect();
    let snapshot = quote::text(snapshot);
    (!kinds.is_empty()).then(|| {
        format!(
            "with gone as (delete from {outbox} where id in (select id from {outbox}
                 where ({}) and pg_visible_in_snapshot(xid, {snapshot}::pg_snapshot)
                 order by id limit {BATCH_ROWS}) returning 1)
             select count(*) from gone",
            kinds.join(" or ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Code, Trim, Trouble, Witness, delete};
    use crate::postgres::source::witness::Seen;
    use crate::postgres::trouble::Refused;

    #[test]
    fn only_kinds_that_are_followed_are_taken_out_each_since_it_is() {
        let kind = |since, followed| Seen { since: Some(since), followed, ..Seen::default() };
        let table = Seen { followed: true, ..Seen::default() };
        let tables = [("it's", kind(9, true)), ("gone", kind(1, false)), ("public.t", table)];
        let tables = tables.map(|(name, seen)| (name.to_owned(), seen)).into();
        let witness = Witness { tables, ..Witness::default() };
        let delete = delete("only \"public\".\"outbox\"", &witness, "1:2:").unwrap();
        assert!(delete.contains("(kind collate \"C\" = 'it''s' and xid >= '9'::xid8)"), "{delete}");
        assert!(!delete.contains("gone'") && !delete.contains("public.t"), "{delete}");
        assert!(super::delete("public.outbox", &Witness::default(), "1:2:").is_none());
    }

    #[test]
    fn a_refusal_is_told_once_unless_it_passes_by_itself() {
        let refused = |sqlstate: &str| {
            let refused = Refused { sqlstate: sqlstate.into(), ..Refused::default() };
            Trouble::Refused(Box::new(refused))
        };
        let (mut trim, outbox) = (Trim::default(), "public.outbox".into());
        assert!(trim.refused(&outbox, &refused("55P03")).is_none());
        let (code, what) = trim.refused(&outbox, &refused("42501")).unwrap();
        assert!(code == Code::PostgresPrivilege && what.contains("delete on public.outbox"));
        assert!(trim.refused(&outbox, &refused("42501")).is_none());
    }
}
