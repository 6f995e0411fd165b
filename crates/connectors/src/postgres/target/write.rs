//! Writes sets of rows in the transaction that is open.

use super::books;
use super::cells::key_texts;
use super::layout::Layout;
use super::sets::{Does, Set};
use super::statements::{self, Statement};
use super::trouble::{Failure, of_rows, of_server};
use crate::postgres::access::Access;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Code, Fault, Key, Lane, Value, Write};

/// Why a row of another lane is left alone.
pub(super) const OWNED: &str = "owned_by_another_lane";
/// Why an update has nothing to change.
pub(super) const MISSING: &str = "row_missing";
/// Why a row is not there although no error came of it.
pub(super) const IGNORED: &str = "ignored_by_trigger";

/// Another leads the lane by now.
pub(super) fn superseded(lane: &Lane) -> Fault {
    Fault::retry(Code::Superseded, format!("another leads {lane}"))
}

/// Writes with a connection, for a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing<'a> {
    pub(super) session: &'a Session,
    pub(super) access: &'a Access,
    pub(super) lane: &'a Lane,
}

impl Writing<'_> {
    /// Writes some sets one after another, until one does not come out as it should.
    pub(super) async fn sets(&self, sets: &[Set], writes: &[Write]) -> Result<(), Failure> {
        for set in sets {
            self.set(set, writes).await?;
        }
        Ok(())
    }

    async fn set(&self, set: &Set, writes: &[Write]) -> Result<(), Failure> {
        let expected = u64::try_from(set.writes.len()).unwrap_or(u64::MAX);
        let written = self.run(set, writes).await?;
        if written >= expected {
            return Ok(());
        }
        match set.does {
            // Some are not there after all.
            Does::Update => {
                let put = Set { does: Does::Put, ..set.clone() };
                match self.run(&put, writes).await? >= expected {
                    true => Ok(()),
                    false => Err(Failure::refused(OWNED)),
                }
            }
            Does::Put | Does::Insert => Err(Failure::refused(OWNED)),
            Does::Patch | Does::Move => Err(Failure::refused(MISSING)),
            // A trigger may have kept a row; only a look at each tells.
            Does::Delete if set.layout.has_triggers => Err(Failure::refused(IGNORED)),
            Does::Delete | Does::Empty => Ok(()),
        }
    }

    /// Writes a set that is one row, and says why if it is not written.
    pub(super) async fn one(&self, set: &Set, write: &Write) -> Result<(), Failure> {
        let refused = match self.set(set, std::slice::from_ref(write)).await {
            Err(Failure::Refused(refused)) => refused,
            other => return other,
        };
        if ![OWNED, MISSING, IGNORED].contains(&refused.reason.as_str()) {
            return Err(Failure::Refused(refused));
        }
        let Some(key) = write.effect.keys().next() else { return Err(Failure::Refused(refused)) };
        match (self.look(&set.layout, key).await?, set.does) {
            (None, Does::Delete) => Ok(()),
            (Some(false), Does::Delete) => Ok(()),
            (Some(false), _) => Err(Failure::refused(OWNED)),
            (None, Does::Patch | Does::Move) => Err(Failure::refused(MISSING)),
            (Some(true) | None, _) => Err(Failure::refused(IGNORED)),
        }
    }

    async fn run(&self, set: &Set, writes: &[Write]) -> Result<u64, Failure> {
        let statement = statements::statement(set, writes, self.lane.as_str());
        let statement = statement.map_err(Failure::refused)?;
        let written = match statement {
            Statement::Bulk { sql, lines } => self.session.copy_in(&sql, lines).await,
            Statement::Plain { sql, parameters } => self.session.write(&sql, &parameters).await,
        };
        written.map_err(|trouble| of_rows(self.access, trouble))
    }

    /// Whether there is a row with a key, and whether it is the lane's.
    pub(super) async fn look(&self, layout: &Layout, key: &Key) -> Result<Option<bool>, Failure> {
        let nulls: Vec<_> = key.values().iter().map(|value| *value == Value::Null).collect();
        let sql = statements::look(layout, &nulls, self.lane.as_str());
        let texts = key_texts(layout, key).map_err(Failure::refused)?;
        let texts: Vec<_> = texts.iter().map(Option::as_deref).collect();
        let found = self.session.ask(&sql, &texts).await;
        let found = found.map_err(|trouble| of_rows(self.access, trouble))?;
        Ok(found.first().map(|row| row.first().is_some_and(|it| it.as_deref() == Some("true"))))
    }

    /// Judges the failure of a commit, with which the watermark goes.
    pub(super) fn of_commit(&self, trouble: Trouble) -> Failure {
        match books::is_superseded(&trouble) {
            true => superseded(self.lane).into(),
            false => of_rows(self.access, trouble),
        }
    }

    /// Runs statements that write no rows of a copy.
    pub(super) async fn note(&self, statements: &str) -> Result<(), Fault> {
        if statements.is_empty() {
            return Ok(());
        }
        let noted = self.session.query(statements).await.map(drop);
        noted.map_err(|trouble: Trouble| of_server(self.access, trouble))
    }
}
