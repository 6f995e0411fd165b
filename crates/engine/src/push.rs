//! Task: pushes a count to a store, so that services read it locally and keep answering while
//! Instep is down (decision: no central counter).
//!
//! The store holds one row for each group that is not zero, and with them the place in every lane
//! that the numbers are true at. What changed since that place is written, all of it with the new
//! place in one transaction; where that is not known one by one, everything is written anew. Each row
//! also says, for people, where its number was true when it was written.

mod place;
mod table;

use crate::backoff::Backoff;
use crate::board::{Board, Phase, Reporter};
use crate::group::WhenFull;
use crate::instance::Instance;
use crate::led::Led;
use crate::limits::Limits;
use crate::numbers::{Changed, Numbers, Untold, changes_over};
use crate::positions;
use crate::task::{Stop, Task, answer, supervise};
use async_trait::async_trait;
use futures_util::future::select_all;
use model::attack::{Mark, reached};
use model::{
    Batch, Code, CopyName, CountName, Effect, Fault, Inspect, Key, Lane, Mode, Offset, Outcome,
    Pass, Position, Row, Service, TableName, Target, TargetName, Write,
};
use place::Place;
use std::collections::BTreeMap;
use std::sync::Arc;
use table::{Pushed, Told};
use tokio::time::{sleep, timeout};

pub use place::lanes_at;

/// A count that is kept in a store as rows.
#[derive(Clone)]
pub struct Push {
    /// The target's name, for people.
    pub name: TargetName,
    /// Where connections to it come from.
    pub service: Arc<dyn Service<dyn Target>>,
    /// The copy in it that holds the rows.
    pub copy: CopyName,
    /// The count.
    pub count: CountName,
    /// The table that is counted.
    pub of: TableName,
    /// The columns that it groups by.
    pub by: Vec<Arc<str>>,
    /// Where the table is, for the kinds of those columns.
    pub source: Arc<dyn Service<dyn Inspect>>,
    /// The shards that the count is over, in the order of the configuration.
    pub shards: Vec<CountedShard>,
    /// The bounds.
    pub limits: Limits,
    /// Who does the work.
    pub instance: Instance,
    /// Where it reports.
    pub board: Board,
}

/// A shard that a pushed count is over.
#[derive(Clone)]
pub struct CountedShard {
    /// The service that it lives in.
    pub service: Arc<str>,
    /// Its part of the numbers.
    pub numbers: Numbers,
    /// Where the tasks of its lane report.
    pub board: Board,
    /// How people write its positions.
    pub write: fn(&Position) -> String,
}

impl Push {
    /// Works until a stop is asked for. Dropping the future ends it at once, as a crash would.
    pub async fn run(self, stop: Stop) {
        let reporter = self.board.group(&self.name, WhenFull::Detach);
        let backoff = Backoff::new(&self.limits, self.instance.run);
        let task = Pushing { reporter: reporter.clone(), connections: 0, push: self };
        supervise(Box::new(task), reporter, backoff, stop).await;
    }
}

struct Pushing {
    push: Push,
    reporter: Reporter,
    connections: u64,
}

#[async_trait]
impl Task for Pushing {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        self.reporter.phase(Phase::Starting);
        let Some(table) = stop.or(self.table()).await else { return Ok(()) };
        let table = table?;
        let Some(led) = stop.or(self.take_over()).await else { return Ok(()) };
        let mut led = led?;
        let standing = led.standing().await?;
        let mut at = standing.watermark.as_ref().and_then(Place::read);
        self.reporter.resumed(standing.watermark.as_ref(), standing.holds.len());
        let is_whole = standing.passes.get(&self.push.copy) == Some(&Pass::Done);
        let mut next = standing.watermark.map_or(0, |it| Place::number(&it) + 1);
        if !is_whole {
            at = None;
        }
        while !stop.asked() {
            let moved: Vec<_> =
                self.push.shards.iter().map(|shard| Box::pin(shard.numbers.moved())).collect();
            if let Some(due) = self.due(at.as_ref())? {
                let place = Place::of_lanes(due.at.clone());
                let watermark = place.offset(next);
                self.write(&mut led, &table, (&due, &watermark)).await?;
                (at, next) = (Some(place), next + 1);
                let rows = due.groups.len() as u64;
                let written = BTreeMap::from([(self.push.copy.clone(), rows)]);
                self.reporter.applied(&watermark, 0, &written);
                self.reporter.step();
                stop.or(sleep(self.push.limits.push_pause)).await;
            }
            led.renew().await?;
            let idle = self.push.limits.idle();
            stop.or(timeout(idle, select_all(moved))).await;
        }
        led.give_back().await;
        Ok(())
    }
}

impl Pushing {
    /// The table that holds the rows, with the columns as the source has them now.
    async fn table(&self) -> Result<Pushed, Fault> {
        let Push { of, copy, count, by, source, limits, .. } = &self.push;
        let look = async { source.connect().await?.table(of).await };
        let table = answer(limits.answer, Code::SourceUnavailable, look).await?;
        let missing = || Fault::retry(Code::TableMissing, format!("the source has no table {of}"));
        let table = table.ok_or_else(missing)?;
        Pushed::new(copy, count, by, &table)
    }

    async fn take_over(&mut self) -> Result<Led, Fault> {
        self.connections += 1;
        let push = &self.push;
        let tenure = push.instance.tenure(self.connections, push.limits.lease);
        let service = push.service.as_ref();
        Led::take_over(service, &self.lane(), tenure, &push.limits, &self.reporter).await
    }

    /// What the store lacks; nothing while a lane can not tell its numbers, or none has moved. A
    /// lane that has fallen behind what was pushed is waited for.
    fn due(&self, at: Option<&Place>) -> Result<Option<Changed>, Fault> {
        let after = |lane: &Lane| at.and_then(|at| at.of(lane).cloned());
        let shards = &self.push.shards;
        shards.iter().for_each(|shard| shard.numbers.hear(&shard.board));
        let lanes = shards.iter().map(|shard| &shard.numbers);
        let changed = match changes_over(lanes, &self.push.count, after) {
            Ok(changed) => changed,
            Err(Untold::Stopped(why)) => return Err(Fault::stop(why.code, why.what)),
            Err(Untold::Unknown | Untold::Filling | Untold::Replaying) => return Ok(None),
        };
        let has_moved = changed.at.iter().any(|(lane, now)| after(lane).as_ref() != Some(now));
        let has_fallen = changed.at.iter().any(|(lane, now)| after(lane).as_ref() > Some(now));
        Ok((has_moved && !has_fallen).then_some(changed))
    }

    /// Writes it all in one transaction of the target.
    async fn write(
        &self,
        led: &mut Led,
        table: &Pushed,
        (due, watermark): (&Changed, &Offset),
    ) -> Result<(), Fault> {
        let one = |effect| {
            let (copy, table) = (self.push.copy.clone(), table.table.clone());
            Write { copy, table, version: watermark.clone(), effect }
        };
        let mut writes = Vec::new();
        if due.anew {
            reached(Mark::PushedAnew);
            writes.push(one(Effect::Truncate));
        }
        let place = Told::new(self.position(due), due.as_of);
        for (group, number) in &due.groups {
            let (key, row): (Key, Row) = table.row(group, *number, &place);
            if *number != 0 {
                writes.push(one(Effect::Put { key, row, new: false }));
            } else if !due.anew {
                writes.push(one(Effect::Delete(key)));
            }
        }
        let most = self.push.limits.batch_changes_max.max(1);
        let mut parts: Vec<Vec<Write>> = writes.chunks(most).map(<[Write]>::to_vec).collect();
        if parts.is_empty() {
            parts.push(Vec::new());
        }
        let count = parts.len();
        for (index, writes) in parts.into_iter().enumerate() {
            let last = index + 1 == count;
            let passes = if last { vec![(self.push.copy.clone(), Pass::Done)] } else { Vec::new() };
            let batch = Batch {
                lane: self.lane(),
                epoch: led.epoch,
                writes: writes.into(),
                holds: Vec::new(),
                discards: Vec::new(),
                passes,
                watermark: watermark.clone(),
                last,
            };
            if let Outcome::Refused(reason) = led.apply(&batch, Mode::Together).await? {
                let what = format!("{}: {reason}", self.push.name);
                return Err(Fault::stop(Code::TargetRefused, what));
            }
        }
        Ok(())
    }

    /// Where what is due is true, as people write it.
    fn position(&self, due: &Changed) -> Option<String> {
        let written = self.push.shards.iter().map(|shard| {
            let at = due.at.get(shard.numbers.lane())?;
            Some((&*shard.service, (shard.write)(&at.position)))
        });
        let written: Option<Vec<_>> = written.collect();
        positions::together(&written?)
    }

    /// The push's own lane in the store.
    fn lane(&self) -> Lane {
        lane_of(&self.push.count, &self.push.copy)
    }
}

/// The lane under which a store keeps how far a count was pushed. One count may be pushed to several
/// tables of a store, which do not move together.
pub fn lane_of(count: &CountName, copy: &CopyName) -> Lane {
    format!("count {count} in {copy}").as_str().into()
}
