//! A connection to one store, which is opened again when it fails, and rests as much as was asked for.

use crate::progress::{Progress, Stop};
use crate::refused::Side;
use model::{
    Ask, Audit, Code, Fate, Fault, Flaw, Found, Groups, Key, Listed, Mark, Reference, Row,
    Selection, Service, Sum,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A connection to one store.
pub(crate) struct Line {
    service: Arc<dyn Service<dyn Audit>>,
    side: Side,
    /// None before the first question, and after one that failed.
    audit: Option<Box<dyn Audit>>,
    manners: Manners,
}

/// How a store is treated.
#[derive(Clone)]
pub(crate) struct Manners {
    /// Which part of the time it may be busy, in hundredths.
    pub(crate) load: u32,
    /// For how long one that is away is waited for.
    pub(crate) patience: Duration,
    /// Who is told why there is a pause.
    pub(crate) progress: Arc<Progress>,
    /// Ends the waiting.
    pub(crate) stop: Stop,
}

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);

impl Line {
    /// A line to this store; nothing is opened yet.
    pub(crate) fn new(service: Arc<dyn Service<dyn Audit>>, side: Side, manners: Manners) -> Self {
        Self { service, side, audit: None, manners }
    }

    /// The connection, opened if there is none.
    async fn open(&mut self) -> Result<&mut Box<dyn Audit>, Fault> {
        let audit = match self.audit.take() {
            Some(audit) => audit,
            None => self.service.connect().await?,
        };
        Ok(self.audit.insert(audit))
    }

    /// Takes an answer, and rests for as long as the load allows; none if it is to be asked again,
    /// after a pause.
    async fn took<T>(
        &mut self,
        answer: Result<T, Fault>,
        asking: &mut Asking,
    ) -> Option<Result<T, Fault>> {
        let fault = match answer {
            Ok(answer) => {
                let load = self.manners.load.clamp(1, 100);
                if load < 100 {
                    sleep(asking.asked.elapsed() * (100 - load) / load).await;
                }
                return Some(Ok(answer));
            }
            Err(fault) => fault,
        };
        self.audit = None;
        let is_over = asking.began.elapsed() + asking.pause > self.manners.patience;
        if !may_pass(&fault) || is_over || self.manners.stop.is_told() {
            return Some(Err(fault));
        }
        self.manners.progress.does(match self.side {
            Side::Source => "the source is away, and asked again",
            Side::Copy => "the copy is away, and asked again",
        });
        sleep(asking.pause).await;
        asking.pause = (asking.pause * 2).min(PAUSE_MAX);
        asking.asked = Instant::now();
        None
    }
}

/// A question that is asked until it is answered.
struct Asking {
    began: Instant,
    asked: Instant,
    pause: Duration,
}

impl Asking {
    fn begin() -> Self {
        let now = Instant::now();
        Self { began: now, asked: now, pause: PAUSE_MIN }
    }
}

/// The port's questions, asked again with growing pauses if the store is away.
macro_rules! questions {
    ($($name:ident($($given:ident: $of:ty),*) -> $answer:ty;)*) => {
        impl Line {
            $(
                /// See the port.
                pub(crate) async fn $name(
                    &mut self,
                    ask: &Ask,
                    $($given: $of),*
                ) -> Result<$answer, Fault> {
                    let mut asking = Asking::begin();
                    loop {
                        let answer = match self.open().await {
                            Ok(audit) => audit.$name(ask, $($given),*).await,
                            Err(fault) => Err(fault),
                        };
                        if let Some(answer) = self.took(answer, &mut asking).await {
                            return answer;
                        }
                    }
                }
            )*
        }
    };
}

questions! {
    cut(after: Option<&Key>, rows: u64) -> Option<Key>;
    sum(of: &Selection) -> Sum;
    marks(of: &Selection, rows_max: usize) -> Listed<Mark>;
    rows(of: &Selection, rows_max: usize) -> Listed<Row>;
    find(keys: &[Key]) -> BTreeMap<Key, Found>;
    flaw(of: &Selection) -> Option<Flaw>;
    groups(groups: &Groups) -> Listed<i64>;
    orphans(refers: &Reference, of: &Selection, rows_max: usize) -> Listed<()>;
}

/// Whether a store that answered so may answer otherwise soon. What a person would have to change is
/// told at once.
fn may_pass(fault: &Fault) -> bool {
    let is_away =
        [Code::SourceUnavailable, Code::TargetUnavailable, Code::FileLocked, Code::NotMeasured];
    fault.fate == Fate::Retry && is_away.contains(&fault.code)
}
