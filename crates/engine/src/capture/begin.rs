//! Where following begins: at the log's end, or with a new history if the old one is lost.
//!
//! P8: what is missing is declared in the log itself, by an entry to every target, before anything
//! that comes after the gap. The note in the catalog comes first, so that after a crash between
//! the two the entry is still written.

use crate::board::Reporter;
use crate::catalog::{Catalog, History};
use crate::desk::Desk;
use bytes::Bytes;
use model::attack::{Bug, Mark, planted, reached};
use model::{
    Append, Bounds, Code, Fate, Fault, Incarnation, Lane, Log, Offset, Place, Placed, Resume,
    Service, Source, Started,
};

/// What it takes to begin.
pub(super) struct Beginning<'a> {
    pub(super) lane: &'a Lane,
    pub(super) log: &'a dyn Log,
    pub(super) catalog: &'a dyn Catalog,
    pub(super) desk: &'a Desk,
    pub(super) reporter: &'a Reporter,
}

impl Beginning<'_> {
    /// Connects, and starts the source; says where the log ends then.
    pub(super) async fn start(
        &self,
        source: &dyn Service<dyn Source>,
    ) -> Result<(Box<dyn Source>, Offset), Fault> {
        let bounds = self.log.bounds(self.lane).await?;
        self.desk.begin_anew(bounds.epoch);
        if let Some(last) = &bounds.last {
            self.reporter.begun(last);
            // What the clock showed at least, until the source says it again.
            let commit = bounds.last_commit.as_ref();
            let commit = commit.filter(|commit| commit.offset.incarnation == last.incarnation);
            commit.inspect(|commit| self.reporter.idle(last, commit.committed_at));
        }
        let mut source = source.connect().await?;
        let Some(history) = self.catalog.history(self.lane).await? else {
            let head = self.begin_first(source.as_mut(), &bounds).await?;
            return Ok((source, head));
        };
        // The note of this history was written, its entry perhaps not.
        let head = self.declare(&bounds, &history).await?;
        if let Some(head) = self.take_up_later(source.as_mut(), &history, &head).await? {
            self.desk.begin_anew(bounds.epoch);
            return Ok((source, head));
        }
        let resume = Resume {
            place: Place {
                identity: history.identity.clone(),
                position: head.position.clone(),
                witness: if planted(Bug::SplicesRestoredSource) {
                    Bytes::new()
                } else {
                    history.witness.clone()
                },
            },
            last: bounds.last_commit.filter(|last| {
                last.offset.incarnation == history.incarnation
                    && last.offset.position > history.began
                    && !planted(Bug::SplicesRestoredSource)
            }),
        };
        let head = match source.start(Some(&resume)).await {
            Ok(Started::Resumed) => head,
            Ok(Started::Lost { why, same_history, now }) => {
                reached(Mark::HistoryLost);
                let incarnation = Incarnation(history.incarnation.0 + u32::from(!same_history));
                let what = format!("lane {}: {why}", self.lane);
                self.begin_next(source.as_mut(), incarnation, now, what).await?
            }
            Ok(Started::Fresh(_)) => return Err(self.misled()),
            Err(fault) if fault.code == Code::SourceChanged => {
                self.adopt(source.as_mut(), &history, fault).await?
            }
            Err(fault) => return Err(fault),
        };
        // What was read meanwhile may be of a server as it was before it was restored.
        self.desk.begin_anew(bounds.epoch);
        if let Some(last) = &bounds.last {
            self.reporter.begun(last);
        }
        Ok((source, head))
    }

    /// A first history begins. Its note comes before any change, so that no change is ever
    /// without it.
    async fn begin_first(&self, source: &mut dyn Source, bounds: &Bounds) -> Result<Offset, Fault> {
        let Started::Fresh(place) = source.start(None).await? else {
            return Err(self.misled());
        };
        let Place { identity, position, witness } = place;
        // A log without a note has lost its catalog: what it goes on from is not known any more.
        let before = bounds.last.as_ref().map_or(0, |last| last.incarnation.0);
        let incarnation = self.catalog.first().await?.max(Incarnation(before + 1));
        let history = History { incarnation, identity, began: position, witness };
        self.catalog.begin(self.lane, &history).await?;
        self.declare(bounds, &history).await
    }

    /// Another server answers. Only if a person has said that it is the right one, a new history
    /// begins there; until then it is asked again now and then, and nothing is read.
    async fn adopt(
        &self,
        source: &mut dyn Source,
        history: &History,
        fault: Fault,
    ) -> Result<Offset, Fault> {
        let fault = Fault { fate: Fate::Retry, ..fault };
        let Some(adopted) = self.catalog.adopted(self.lane).await? else {
            return Err(fault);
        };
        match source.start(None).await? {
            Started::Fresh(now) if now.identity == adopted => {
                reached(Mark::SourceAdopted);
                let incarnation = Incarnation(history.incarnation.0 + 1);
                self.begin_next(source, incarnation, now, fault.what).await
            }
            Started::Fresh(_) | Started::Resumed | Started::Lost { .. } => Err(fault),
        }
    }

    /// A target stands in a later history than this one, which has come past it: the notes were
    /// lost, or another instance has begun that history. It is taken up with a gap, so that every
    /// copy is compared, and above all that the target has. Nothing is raised above that history if
    /// the source is past the target: two instances come to one number, and stay there. A source
    /// that is not past it has gone back since, so yet another history begins.
    async fn take_up_later(
        &self,
        source: &mut dyn Source,
        history: &History,
        head: &Offset,
    ) -> Result<Option<Offset>, Fault> {
        let later = self.desk.later_than(history.incarnation);
        let Some(later) = later.filter(|later| head.position > later.position) else {
            return Ok(None);
        };
        match source.start(None).await? {
            Started::Fresh(now) if now.identity == history.identity => {
                let has_gone_back = now.position <= later.position;
                let incarnation = Incarnation(later.incarnation.0 + u32::from(has_gone_back));
                let what = format!("lane {}: a target stands at {later}", self.lane);
                self.begin_next(source, incarnation, now, what).await.map(Some)
            }
            // Another server: it is refused where following goes on.
            Started::Fresh(_) => Ok(None),
            Started::Resumed | Started::Lost { .. } => Err(self.misled()),
        }
    }

    /// What came before is not all here: a new history begins, and everybody is told.
    async fn begin_next(
        &self,
        source: &mut dyn Source,
        incarnation: Incarnation,
        now: Place,
        what: String,
    ) -> Result<Offset, Fault> {
        let Place { identity, position, witness } = now.clone();
        let history = History { incarnation, identity, began: position, witness };
        self.catalog.begin(self.lane, &history).await?;
        self.reporter.notice(Code::SourceHistoryLost, &what);
        let head = self.declare(&self.log.bounds(self.lane).await?, &history).await?;
        match source.start(Some(&Resume { place: now, last: None })).await? {
            Started::Resumed => Ok(head),
            Started::Fresh(_) | Started::Lost { .. } => {
                Err(Fault::retry(Code::SourceHistoryLost, what))
            }
        }
    }

    /// Where the log ends in this history. If the history began after that, the log says so first.
    async fn declare(&self, bounds: &Bounds, history: &History) -> Result<Offset, Fault> {
        if let Some(end) = history.end_of(bounds) {
            return Ok(end);
        }
        let epoch = self.desk.epoch();
        let gap = Offset { epoch, ordinal: 0, ..history.beginning() };
        let entry = Append::Placed(Placed::gap(gap.clone()));
        self.log.append(self.lane, vec![entry], epoch).await?;
        reached(Mark::GapDeclared);
        Ok(gap)
    }

    fn misled(&self) -> Fault {
        let what = format!("lane {}: the source did not start where it was asked to", self.lane);
        Fault::stop(Code::Broken, what)
    }
}
