//! A connection to the database of a target, with the target transaction that may be open on it.
//!
//! A fault, a refusal or the end of the connection takes the open transaction back; only the last
//! batch of it commits. The commit goes to the server together with the watermark, whose statement
//! fails if somebody else leads by then, so that a writer who stops in between has done either both
//! or nothing.

use super::books;
use super::careful::{self, Careful};
use super::columns;
use super::layout::Layout;
use super::lease;
use super::prepared::Prepared;
use super::sets;
use super::settings;
use super::swift::{self, BEGIN, Piece};
use super::tables::Tables;
use super::trouble::{Failure, Refusal, Rule, damaged, of_rows, of_server};
use super::write::{Writing, superseded};
use crate::copy::CopyTo;
use crate::parked::Parked;
use crate::postgres::access::Access;
use crate::postgres::quote;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{
    Batch, Code, CopyName, Effect, Fault, Hold, Key, Lane, Mode, Outcome, Refusal as Refused, Table,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// A connection, and what is open on it.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) session: Session,
    pub(super) access: Arc<Access>,
    pub(super) tables: Tables,
    prepared: Prepared,
    open: Option<Open>,
    /// The keys of a lane that are held, as far as they were asked for.
    held: Option<(Lane, BTreeSet<(CopyName, Key)>)>,
    /// How long the server waits for us in the middle of a transaction.
    pub(super) patience: Duration,
}

/// The target transaction that goes on with the next batch.
#[derive(Debug)]
struct Open {
    lane: Lane,
    /// The highest epoch ever given out for the lane, when the transaction began.
    epoch: u64,
    /// Whether constraints that can wait do so.
    defers: bool,
    parked: Parked,
}

impl Open {
    fn new(lane: &Lane) -> Self {
        Self { lane: lane.clone(), epoch: 0, defers: false, parked: Parked::default() }
    }
}

impl Writer {
    /// Connects, and makes what Instep notes if it is not there.
    pub(super) async fn open(access: &Arc<Access>, copies: &[CopyTo]) -> Result<Self, Fault> {
        let session = settings::connect(access).await?;
        books::open(&session, access).await?;
        let tables = Tables::open(&session, access, copies).await?;
        tables.check(&session).await?;
        let access = Arc::clone(access);
        let (prepared, patience) = (Prepared::default(), Duration::from_secs(10));
        Ok(Self { session, access, tables, prepared, open: None, held: None, patience })
    }

    /// Whether a transaction is open.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Makes the table of a copy, if it is not there.
    pub(super) async fn make_table(
        &mut self,
        copy: &CopyName,
        table: &Arc<Table>,
    ) -> Result<(), Fault> {
        self.tables.layout(&self.session, copy, table).await.map(drop)
    }

    /// Takes back what is open.
    pub(super) async fn take_back(&mut self) -> Result<(), Fault> {
        if self.open.take().is_some() {
            self.tables.forget();
            self.held = None;
            self.note("rollback").await?;
        }
        Ok(())
    }

    /// Writes a batch.
    pub(super) async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let outcome = match mode {
            Mode::Together => self.together(batch).await,
            Mode::RowByRow => self.row_by_row(batch).await,
        };
        let failure = match outcome {
            Ok(outcome) => return Ok(outcome),
            Err(failure) => failure,
        };
        let taken_back = self.take_back().await;
        let lacking = self.tables.take_lacking();
        if !lacking.is_empty() {
            taken_back?;
            if let Err(fault) = self.compare_again(batch, &lacking).await {
                self.take_back().await?;
                return Err(fault);
            }
            return match failure {
                Failure::Fault(fault) => Err(fault),
                Failure::Refused(Refusal { reason, .. }) => Ok(Outcome::Refused(reason)),
            };
        }
        match failure {
            Failure::Fault(fault) => Err(fault),
            Failure::Refused(Refusal { reason, .. }) => {
                taken_back.map(|()| Outcome::Refused(reason))
            }
        }
    }

    /// Notes that copies are to be compared with their source before more is written to them.
    async fn compare_again(
        &mut self,
        batch: &Batch,
        copies: &BTreeSet<CopyName>,
    ) -> Result<(), Fault> {
        self.begin(batch).await?;
        for copy in copies {
            let noted = columns::compare_again(&self.session, &batch.lane, copy).await;
            noted.map_err(|trouble| of_server(&self.access, trouble))?;
        }
        self.note("commit").await?;
        self.open = None;
        Ok(())
    }

    /// As sets; if rows are in each other's way, with care, and as one all the same.
    async fn together(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        if self.in_one_piece(batch).await? {
            return Ok(Outcome::Written { flushed: None, refused: Vec::new() });
        }
        self.begin(batch).await?;
        let layouts = self.layouts(batch).await?;
        // Known inserts that are there after all are written over what is there.
        let mut in_bulk = self.parked().is_empty();
        while self.parked().is_empty() {
            let numbered = batch.writes.iter().zip(&layouts).enumerate();
            let numbered = numbered.map(|(number, (write, layout))| (number, write, layout));
            let sets = sets::sets(numbered, in_bulk);
            match self.writing(&batch.lane).sets(&sets, &batch.writes).await {
                Ok(()) => return self.end(batch, BTreeMap::new()).await,
                Err(Failure::Fault(fault)) => return Err(fault.into()),
                Err(Failure::Refused(refusal)) => {
                    self.note(careful::TAKE_BACK).await?;
                    if !in_bulk || refusal.rule != Rule::Unique {
                        break;
                    }
                    in_bulk = false;
                }
            }
        }
        let refused = self.with_care(batch, &layouts, true).await?;
        match refused.into_values().next() {
            Some(refusal) => Err(Failure::Refused(refusal)),
            None => self.end(batch, BTreeMap::new()).await,
        }
    }

    /// Writes a small transaction with nothing unusual about it; false if it is to be done step by
    /// step.
    async fn in_one_piece(&mut self, batch: &Batch) -> Result<bool, Failure> {
        let is_usual = self.open.is_none() && batch.last && batch.discards.is_empty();
        let knows_holds = self.held.as_ref().is_some_and(|(lane, _)| *lane == batch.lane);
        if !is_usual || !knows_holds || batch.writes.len() > swift::WRITES_MAX {
            return Ok(false);
        }
        self.tables.look_again(&self.session).await?;
        let Some(layouts) = self.tables.known(batch) else { return Ok(false) };
        if layouts.iter().any(|layout| layout.has_deferrable) {
            return Ok(false);
        }
        let numbered = batch.writes.iter().zip(&layouts).enumerate();
        let numbered = numbered.map(|(number, (write, layout))| (number, write, layout));
        let sets = sets::sets(numbered, false);
        let notes = self.notes(batch, &BTreeMap::new());
        let settings = format!("select {}", settings_and_lock(batch, self.patience));
        // Whatever ends it from outside, something may be open until it is over.
        self.open = Some(Open::new(&batch.lane));
        let writing = Writing { session: &self.session, access: &self.access, lane: &batch.lane };
        let piece = Piece { settings, sets: &sets, notes, batch };
        let is_done = swift::run(&writing, &mut self.prepared, &piece).await?;
        self.open = None;
        if !is_done {
            self.held = None;
        }
        Ok(is_done)
    }

    /// Row by row where it has to be. If rows refer to others that are not there at the end, the
    /// batch is written again with each row checked at once.
    async fn row_by_row(&mut self, batch: &Batch) -> Result<Outcome, Failure> {
        self.begin(batch).await?;
        let layouts = self.layouts(batch).await?;
        let mut refused = self.with_care(batch, &layouts, false).await?;
        if batch.last && self.open.as_ref().is_some_and(|open| open.defers) {
            let checked = self.session.query("set constraints all immediate").await;
            match checked.map_err(|trouble| of_rows(&self.access, trouble)) {
                Ok(_) => {}
                Err(Failure::Refused(_)) => {
                    let again = format!(
                        "{}; release instep_batch; set constraints all immediate; {}",
                        careful::TAKE_BACK,
                        careful::BEGIN
                    );
                    // Rows of an earlier batch may lack what they refer to: no row is to blame then.
                    let again = self.session.query(&again).await;
                    again.map_err(|trouble| of_rows(&self.access, trouble))?;
                    refused = self.with_care(batch, &layouts, false).await?;
                }
                Err(fault) => return Err(fault),
            }
        }
        check_held(batch, &refused)?;
        self.end(batch, refused).await
    }

    async fn with_care(
        &mut self,
        batch: &Batch,
        layouts: &[Arc<Layout>],
        stops_at_first: bool,
    ) -> Result<BTreeMap<usize, Refusal>, Fault> {
        let open = self.open.as_mut().expect("BUG: it was begun");
        let parked = std::mem::take(&mut open.parked);
        let writing = Writing { session: &self.session, access: &self.access, lane: &batch.lane };
        let none = BTreeSet::new();
        let held = self.held.as_ref().map_or(&none, |(_, held)| held);
        let waiting = BTreeSet::new();
        let mut careful =
            Careful { writing, batch, layouts, parked, held, waiting, stops_at_first };
        let refused = careful.write().await?;
        let parked = careful.parked;
        self.open.as_mut().expect("BUG: it was begun").parked = parked;
        Ok(refused)
    }

    /// Notes what belongs to the rows of a batch, and commits after the last.
    async fn end(
        &mut self,
        batch: &Batch,
        refused: BTreeMap<usize, Refusal>,
    ) -> Result<Outcome, Failure> {
        let mut notes = self.notes(batch, &refused);
        // A key that became held after its row was moved out of the way has no turn any more.
        let none = BTreeSet::new();
        let held = self.held.as_ref().map_or(&none, |(_, held)| held);
        let left = self.parked().not_held(held).next().filter(|_| batch.last);
        if let Some(reason) = left.map(|row| row.reason.clone()) {
            // What was noted of the keys that are held goes with the rows.
            self.held = None;
            return Err(Failure::refused(reason));
        }
        let refused = refused.into_iter();
        let refused = refused.map(|(write, Refusal { reason, .. })| Refused { write, reason });
        let refused = refused.collect();
        if !batch.last {
            notes.push_str("release instep_batch;");
            self.note(&notes).await?;
            self.note(careful::BEGIN).await?;
            return Ok(Outcome::Written { flushed: None, refused });
        }
        notes.push_str(&books::advance(batch));
        notes.push_str("; commit");
        let committed = self.session.query(&notes).await;
        committed.map_err(|trouble| self.writing(&batch.lane).of_commit(trouble))?;
        self.open = None;
        Ok(Outcome::Written { flushed: None, refused })
    }

    /// What is to be noted beside the rows, with the keys that are held from now on and those that
    /// are no longer.
    fn notes(&mut self, batch: &Batch, refused: &BTreeMap<usize, Refusal>) -> String {
        let new = held(batch, refused);
        let of_lane = || (batch.lane.clone(), BTreeSet::new());
        let known = &mut self.held.get_or_insert_with(of_lane).1;
        for (copy, key) in &batch.discards {
            known.remove(&(copy.clone(), key.clone()));
        }
        // Not before the rows: what is written again is first taken back, with all that came after.
        let mut notes = books::discards(batch);
        notes.push_str(&end_holds(batch, refused, known));
        for hold in new.iter().chain(&batch.holds) {
            notes.push_str(&books::note_hold(&batch.lane, hold));
            known.insert((hold.copy.clone(), hold.key.clone()));
        }
        notes.push_str(&books::note_passes(batch));
        notes
    }

    async fn layouts(&mut self, batch: &Batch) -> Result<Vec<Arc<Layout>>, Fault> {
        let layouts = self.tables.layouts(&self.session, batch).await?;
        let open = self.open.as_mut().expect("BUG: it was begun");
        let defers = !open.defers && layouts.iter().any(|layout| layout.has_deferrable);
        open.defers |= defers;
        // The source's transaction is whole only at its end.
        let defer = if defers { "set constraints all deferred;" } else { "" };
        // What was done for the tables stays when the rows are taken back.
        if self.tables.take_touched() || defers {
            self.note(&format!("release instep_batch; {defer} {}", careful::BEGIN)).await?;
        }
        Ok(layouts)
    }

    /// Begins the target transaction of a batch, unless it is open.
    async fn begin(&mut self, batch: &Batch) -> Result<(), Fault> {
        if let Some(open) = &self.open {
            if open.lane != batch.lane {
                let what = format!("a transaction of {} is open, not of {}", open.lane, batch.lane);
                return Err(Fault::stop(Code::Broken, what));
            }
            return check_epoch(open.epoch, batch);
        }
        self.tables.look_again(&self.session).await?;
        let begun = self.session.query(&begin(batch, self.patience)).await;
        // From here on something may be open.
        let mut open = Open::new(&batch.lane);
        let rows = begun.map_err(|trouble: Trouble| of_server(&self.access, trouble));
        let rows = match rows {
            Ok(rows) => rows,
            Err(fault) => {
                self.open = Some(open);
                return Err(fault);
            }
        };
        let last = rows.last().map(Vec::as_slice).unwrap_or_default();
        let read = || -> Option<(u64, bool)> {
            let [.., epoch, has_holds] = last else { return None };
            Some((epoch.as_deref()?.parse().ok()?, has_holds.as_deref()? == "t"))
        };
        let (epoch, has_holds) =
            read().ok_or_else(|| damaged(&self.access, "a lease is not what Instep wrote"))?;
        open.epoch = epoch;
        self.open = Some(open);
        check_epoch(epoch, batch)?;
        if self.held.as_ref().is_none_or(|(lane, _)| *lane != batch.lane) {
            let holds = match has_holds {
                true => books::standing(&self.session, &self.access, &batch.lane).await?.holds,
                false => Vec::new(),
            };
            let keys = holds.into_iter().map(|hold| (hold.copy, hold.key));
            self.held = Some((batch.lane.clone(), keys.collect()));
        }
        Ok(())
    }

    fn parked(&self) -> &Parked {
        &self.open.as_ref().expect("BUG: it was begun").parked
    }

    fn writing<'a>(&'a self, lane: &'a Lane) -> Writing<'a> {
        Writing { session: &self.session, access: &self.access, lane }
    }

    async fn note(&self, statements: &str) -> Result<(), Fault> {
        if statements.is_empty() {
            return Ok(());
        }
        let noted = self.session.query(statements).await.map(drop);
        noted.map_err(|trouble| of_server(&self.access, trouble))
    }
}

/// Begins a transaction, and asks who led last and whether there are holds.
fn begin(batch: &Batch, patience: Duration) -> String {
    let lane = quote::text(batch.lane.as_str());
    format!(
        "{BEGIN};
         select {},
            coalesce((select epoch from instep.leases where lane = {lane}), 0),
            exists (select from instep.holds where lane = {lane});
         {}",
        settings_and_lock(batch, patience),
        careful::BEGIN
    )
}

/// How a transaction is to be. A row is found by its key, however few rows the server thinks that
/// there are. Another leader finds those who hold the lock of the lane.
fn settings_and_lock(batch: &Batch, patience: Duration) -> String {
    let patience = format!("{}ms", patience.as_millis());
    let settings = [
        ("lock_timeout", "30s"),
        ("statement_timeout", "55s"),
        ("idle_in_transaction_session_timeout", &patience),
        ("synchronous_commit", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
    ];
    let settings = settings.map(|(name, value)| format!("set_config('{name}', '{value}', true), "));
    let lock = lease::lock_of(&batch.lane);
    format!("{} pg_advisory_xact_lock_shared({lock})", settings.concat())
}

fn check_epoch(highest: u64, batch: &Batch) -> Result<(), Fault> {
    if batch.epoch.0 >= highest { Ok(()) } else { Err(superseded(&batch.lane)) }
}

/// The keys that become held, but for those that a later write of the batch has settled.
fn held(batch: &Batch, refused: &BTreeMap<usize, Refusal>) -> Vec<Hold> {
    let settles = |later: &usize, copy: &CopyName, key: &Key| {
        let write = &batch.writes[*later];
        let is_of = write.effect == Effect::Truncate || write.effect.keys().any(|it| it == key);
        write.copy == *copy && is_of && !refused.contains_key(later)
    };
    let mut held = Vec::new();
    for (&number, Refusal { reason, .. }) in refused {
        let write = &batch.writes[number];
        for key in write.effect.keys() {
            if !(number + 1..batch.writes.len()).any(|later| settles(&later, &write.copy, key)) {
                let (copy, offset) = (write.copy.clone(), write.version.clone());
                let (key, reason) = (key.clone(), reason.clone());
                held.push(Hold { copy, key, offset, reason, since: 0 });
            }
        }
    }
    held
}

/// Every key that was written is held no longer.
fn end_holds(
    batch: &Batch,
    refused: &BTreeMap<usize, Refusal>,
    held: &mut BTreeSet<(CopyName, Key)>,
) -> String {
    if held.is_empty() {
        return String::new();
    }
    let mut ended = BTreeSet::new();
    let writes = batch.writes.iter().enumerate();
    for (_, write) in writes.filter(|(number, _)| !refused.contains_key(number)) {
        if write.effect == Effect::Truncate {
            ended.extend(held.iter().filter(|(copy, _)| *copy == write.copy).cloned());
        }
        let keys = write.effect.keys().map(|key| (write.copy.clone(), key.clone()));
        ended.extend(keys.filter(|key| held.contains(key)));
    }
    held.retain(|key| !ended.contains(key));
    books::end_holds(&batch.lane, ended.iter().map(|(copy, key)| (copy, key)))
}

/// A truncate names no key that could be held, so one that is refused refuses everything.
fn check_held(batch: &Batch, refused: &BTreeMap<usize, Refusal>) -> Result<(), Failure> {
    let without_key =
        |(number, _): &(&usize, &Refusal)| batch.writes[**number].effect.keys().next().is_none();
    match refused.iter().find(without_key) {
        Some((_, refusal)) => Err(Failure::Refused(refusal.clone())),
        None => Ok(()),
    }
}
