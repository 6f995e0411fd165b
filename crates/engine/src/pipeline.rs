//! One lane from its source over the log to its groups: every task is listed here.

use crate::apply::{Apply, Unshown};
use crate::backoff::Backoff;
use crate::board::{Board, Reporter};
use crate::capture::Capture;
use crate::catalog::Catalog;
use crate::count::Count;
use crate::desk::Desk;
use crate::group::Group;
use crate::group::WhenFull;
use crate::instance::Instance;
use crate::limits::Limits;
use crate::numbers::Numbers;
use crate::remember::Remember;
use crate::retention::Retention;
use crate::state::State;
use crate::survey::Survey;
use crate::task::{Stop, Task, supervise};
use model::{Code, Fault, Inspect, Lane, Log, Service, Source, TableName, TargetName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::task::{Id, JoinSet};
use tokio::time::timeout;

/// Everything that one lane needs.
#[derive(Clone)]
pub struct Pipeline {
    /// The lane.
    pub lane: Lane,
    /// Where its changes come from.
    pub source: Arc<dyn Service<dyn Source>>,
    /// Where its rows are read as they are.
    pub inspect: Arc<dyn Service<dyn Inspect>>,
    /// Where they are kept until every group has them.
    pub log: Arc<dyn Log>,
    /// The durable notes.
    pub catalog: Arc<dyn Catalog>,
    /// Where they go.
    pub groups: Vec<Group>,
    /// What is counted, if anything.
    pub counting: Option<Counting>,
    /// The bounds.
    pub limits: Limits,
    /// Who does the work.
    pub instance: Instance,
    /// Where the tasks report.
    pub board: Board,
}

/// The counts over a lane.
#[derive(Clone)]
pub struct Counting {
    /// What is counted.
    pub counts: Vec<Count>,
    /// Where row memory and numbers are kept.
    pub state: Arc<dyn State>,
    /// Where the numbers are told.
    pub numbers: Numbers,
}

impl Pipeline {
    /// Not to be run twice over one opened log: what a run leaves staged is forgotten only when the
    /// log is opened anew.
    ///
    /// Works until a stop is asked for and every task has ended, or the time for that is up.
    /// Dropping the future ends every task at once, as a crash would.
    pub async fn run(self, stop: Stop) {
        let mut tasks = Tasks { set: JoinSet::new(), reporters: BTreeMap::new() };
        let mut seed = self.instance.run;
        for (task, reporter) in self.tasks() {
            seed = seed.wrapping_add(1);
            let backoff = Backoff::new(&self.limits, seed);
            tasks.spawn(reporter.clone(), supervise(task, reporter, backoff, stop.clone()));
        }
        stop.or(tasks.all_ended()).await;
        // What is under way ends by itself; what does not is dropped and found again later.
        if timeout(self.limits.stop, tasks.all_ended()).await.is_err() {
            tasks.set.shutdown().await;
        }
    }

    /// Every task of the lane, with its pen on the board. The groups come first, so that
    /// retention sees them all from its first look on.
    fn tasks(&self) -> Vec<(Box<dyn Task>, Reporter)> {
        let desk = self.board.new_desk();
        let mut tasks: Vec<(Box<dyn Task>, Reporter)> = Vec::new();
        for group in &self.groups {
            let reporter = self.board.group(&group.name, group.when_full);
            let apply = Apply {
                lane: self.lane.clone(),
                group: group.clone(),
                log: self.log.clone(),
                desk: desk.clone(),
                limits: self.limits.clone(),
                instance: self.instance.clone(),
                reporter: reporter.clone(),
                catalog: self.catalog.clone(),
                connections: 0,
                in_doubt: None,
                refers: BTreeMap::new(),
                holds_moved: false,
                unshown: Unshown::default(),
            };
            tasks.push((Box::new(apply), reporter));
        }
        if let Some(counting) = &self.counting {
            tasks.push(self.remember(counting, &desk));
        }
        let reporter = self.board.capture();
        let capture = Capture {
            lane: self.lane.clone(),
            source: self.source.clone(),
            log: self.log.clone(),
            catalog: self.catalog.clone(),
            desk: desk.clone(),
            limits: self.limits.clone(),
            reporter: reporter.clone(),
            staged: BTreeSet::new(),
        };
        tasks.push((Box::new(capture), reporter));
        let reporter = self.board.survey();
        let survey = Survey {
            lane: self.lane.clone(),
            source: self.inspect.clone(),
            desk,
            limits: self.limits.clone(),
            reporter: reporter.clone(),
            tables: self.tables_read(),
        };
        tasks.push((Box::new(survey), reporter));
        let reporter = self.board.retention();
        let retention = Retention {
            lane: self.lane.clone(),
            log: self.log.clone(),
            board: self.board.clone(),
            limits: self.limits.clone(),
            reporter: reporter.clone(),
        };
        tasks.push((Box::new(retention), reporter));
        tasks
    }
}

impl Pipeline {
    fn remember(&self, counting: &Counting, desk: &Desk) -> (Box<dyn Task>, Reporter) {
        let name = TargetName::from(ROW_MEMORY);
        let reporter = self.board.group(&name, WhenFull::Detach);
        let remember = Remember {
            lane: self.lane.clone(),
            name,
            state: counting.state.clone(),
            counts: counting.counts.clone(),
            numbers: counting.numbers.clone(),
            log: self.log.clone(),
            catalog: self.catalog.clone(),
            desk: desk.clone(),
            limits: self.limits.clone(),
            reporter: reporter.clone(),
            folds: BTreeMap::new(),
        };
        (Box::new(remember), reporter)
    }

    /// The tables that anybody wants rows of.
    fn tables_read(&self) -> BTreeSet<TableName> {
        let counts = self.counting.iter().flat_map(|counting| &counting.counts);
        let counted = counts.map(|count| &count.of);
        self.groups.iter().flat_map(Group::tables).chain(counted).cloned().collect()
    }
}

/// The name under which row memory stands among the targets of a lane; no target of a user has a
/// space in its name.
pub(crate) const ROW_MEMORY: &str = "row memory";

/// The running tasks, so that the end of each is noticed and a panic stops one of them only.
struct Tasks {
    set: JoinSet<()>,
    reporters: BTreeMap<Id, Reporter>,
}

impl Tasks {
    fn spawn(&mut self, reporter: Reporter, task: impl Future<Output = ()> + Send + 'static) {
        let id = self.set.spawn(task).id();
        self.reporters.insert(id, reporter);
    }

    async fn all_ended(&mut self) {
        while let Some(ended) = self.set.join_next_with_id().await {
            if let Err(error) = ended
                && error.is_panic()
                && let Some(reporter) = self.reporters.get(&error.id())
            {
                let what = "the task panicked; its message is in the process log";
                reporter.stopped(&Fault::stop(Code::Broken, what));
            }
        }
    }
}
