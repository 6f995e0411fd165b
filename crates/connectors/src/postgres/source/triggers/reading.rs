//! One reading: what became visible since the last one, as one transaction, with the rows as they
//! are in the same snapshot.
//!
//! The locks come before the snapshot: what empties or rewrites a table leaves nothing in it for a
//! snapshot that is older.

use super::books::{self, Noted};
use super::install::on;
use crate::postgres::lsn::Lsn;
use crate::postgres::quote;
use crate::postgres::schema::Described;
use crate::postgres::session::{Cells, Session};
use crate::postgres::source::names::position;
use crate::postgres::source::server;
use crate::postgres::source::unready::Unready;
use crate::postgres::trouble::Trouble;
use crate::postgres::types;
use model::{Cell, Change, Op, Row, Step, TransactionId, Value};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;

/// Reads on and on.
pub(super) struct Reading {
    pub(super) session: Session,
    pub(super) schema: String,
    pub(super) tables: Arc<[Described]>,
    pub(super) part_bytes_max: usize,
    /// What the last reading saw.
    pub(super) seen: String,
    /// How far it is known that everything came.
    pub(super) reached: Lsn,
}

/// Where the steps go.
pub(super) type Steps = Sender<Result<Step, Unready>>;

/// How a reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// There was something.
    Something,
    /// There was nothing.
    Nothing,
    /// Nobody wants to know.
    Unwanted,
}

/// What the server may take for a lock.
const SETTINGS: &str = "set local lock_timeout = '5s'; set local row_security = off;";

impl Reading {
    /// Reads on.
    pub(super) async fn read(&mut self, steps: &Steps) -> Result<Read, Unready> {
        // Behind this place the snapshot is taken, so all that was seen to be written up to here by
        // somebody who had committed is in it.
        let place = Lsn(server::written(&self.session).await?.0.saturating_sub(1));
        let names: Vec<_> = self.tables.iter().map(on).collect();
        let begin = format!(
            "begin transaction isolation level repeatable read, read only; {SETTINGS} \
             lock table {} in access share mode; \
             select {}, exists ({})",
            names.join(", "),
            Noted::SEES,
            self.unseen("1")
        );
        let row = self.session.query(&begin).await?.pop().unwrap_or_default();
        let noted = Noted::read(place, &row)?;
        let has_changes = row.get(3).and_then(Option::as_deref) == Some("t");
        if has_changes && place <= self.reached {
            // Nothing was written since the last reading was begun; what it found is told apart.
            self.session.query("rollback").await?;
            server::mark(&self.session).await?;
            return Ok(Read::Something);
        }
        let wanted = match has_changes {
            true => self.hand_over(&noted, steps).await?,
            false => true,
        };
        self.session.query("commit").await?;
        self.seen.clone_from(&noted.snapshot);
        self.reached = self.reached.max(place);
        let step = if has_changes {
            // Noted before anybody has it, so that nobody goes on from where nothing is known.
            books::note(&self.session, &self.schema, &noted).await?;
            let transaction = TransactionId(noted.number);
            Step::Commit { transaction, position: position(place), committed_at: noted.read_at }
        } else {
            Step::Progress { position: position(self.reached), source_time: noted.read_at }
        };
        if has_changes {
            let is_taken = wanted && steps.send(Ok(step)).await.is_ok();
            return Ok(if is_taken { Read::Something } else { Read::Unwanted });
        }
        // Who is busy has no need of it.
        let is_taken = steps.try_send(Ok(step)).is_ok() || !steps.is_closed();
        Ok(if is_taken { Read::Nothing } else { Read::Unwanted })
    }

    /// Recorded changes that the last reading did not see.
    fn unseen(&self, what: &str) -> String {
        let seen = quote::text(&self.seen);
        format!(
            "select {what} from {}.changes where xid >= pg_snapshot_xmin({seen}::pg_snapshot) \
             and not pg_visible_in_snapshot(xid, {seen}::pg_snapshot)",
            quote::name(&self.schema)
        )
    }

    /// Hands over the rows that were touched: of each table first that it was emptied, then those
    /// that are gone, then those that there are. Whether somebody wants more.
    async fn hand_over(&mut self, noted: &Noted, steps: &Steps) -> Result<bool, Unready> {
        let transaction = TransactionId(noted.number);
        for table in self.tables.clone().iter() {
            let emptied =
                format!("{} and tbl = {} and key is null limit 1", self.unseen("1"), table.oid);
            let mut part = Part::default();
            if !self.session.query(&emptied).await?.is_empty() {
                part.add(Change { table: table.table.clone(), op: Op::Truncate });
            }
            let touched = self.touched(table);
            let mut rows = self.session.copy_out(&touched).await?;
            while let Some(cells) = rows.next().await? {
                part.add(change(table, &cells)?);
                if part.bytes >= self.part_bytes_max && !part.send(transaction, steps).await {
                    return Ok(false);
                }
            }
            if !part.send(transaction, steps).await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The keys of a table that were touched, each with its row: first whether there is none, then
    /// the key, then the columns.
    fn touched(&self, table: &Described) -> String {
        let names = |of: &str| {
            let column = |column: &model::Column| format!("{of}.{}", quote::name(&column.name));
            table.table.columns.iter().map(column).collect::<Vec<_>>()
        };
        let columns = names("t");
        let keys = table.table.key.iter().zip(1..);
        let (mut cells, mut equal) = (Vec::new(), Vec::new());
        for (&at, place) in keys {
            let declared = &table.table.columns[at].declared;
            cells.push(format!("k.key[{place}]"));
            equal.push(format!("{} = k.key[{place}]::{declared}", columns[at]));
        }
        let first = &columns[table.table.key[0]];
        format!(
            "select {first} is null, {}, {} from (select key, min(seq) as first from ({}) c \
             group by key) k left join {} t on {} order by 1 desc, k.first",
            cells.join(", "),
            columns.join(", "),
            self.unseen("seq, key") + &format!(" and tbl = {} and key is not null", table.oid),
            on(table),
            equal.join(" and ")
        )
    }
}

/// Changes that are to be handed over together.
#[derive(Default)]
struct Part {
    changes: Vec<Change>,
    bytes: usize,
}

impl Part {
    fn add(&mut self, change: Change) {
        self.bytes += change.bytes();
        self.changes.push(change);
    }

    /// Hands it over; whether somebody wants more.
    async fn send(&mut self, transaction: TransactionId, steps: &Steps) -> bool {
        let Self { changes, .. } = std::mem::take(self);
        let step = Step::Part { transaction, sub: transaction, changes };
        matches!(&step, Step::Part { changes, .. } if changes.is_empty())
            || steps.send(Ok(step)).await.is_ok()
    }
}

/// What became of a row: whether it is gone, its key, and its columns.
fn change(table: &Described, cells: &Cells) -> Result<Change, Trouble> {
    let value = |at: usize, cell: Option<&String>| match cell {
        None => Ok(Value::Null),
        Some(text) => types::read(&table.columns[at].form, text.as_bytes())
            .map_err(|it| Trouble::malformed(it.to_string())),
    };
    let key = &table.table.key;
    let (gone, rest) = cells.split_first().ok_or_else(short)?;
    let (of_key, of_row) = rest.split_at_checked(key.len()).ok_or_else(short)?;
    let values = key.iter().zip(of_key).map(|(&at, cell)| value(at, cell.as_ref()));
    let before = table.table.key_from(values.collect::<Result<Vec<_>, _>>()?);
    let op = if gone.as_deref() == Some("t") {
        Op::Delete(before)
    } else {
        let cells = of_row.iter().enumerate().map(|(at, cell)| value(at, cell.as_ref()));
        let cells = cells.map(|value| value.map(Cell::Value)).collect::<Result<Vec<_>, _>>()?;
        if cells.len() != table.table.columns.len() {
            return Err(short());
        }
        Op::Update { before, row: Row(cells) }
    };
    Ok(Change { table: table.table.clone(), op })
}

fn short() -> Trouble {
    Trouble::malformed("a row came with fewer columns than were asked for")
}
