//! A connection that follows: takes the stream in lumps, and hands over step by step.

use super::aide::{Aide, Findings};
use super::alarm::Alarm;
use super::assembly::{Assembly, Taken};
use super::begin::{Begun, Wanted, begin};
use super::confirming::Confirming;
use super::followed::{Told, told};
use super::names::lsn;
use super::sight::Sight;
use super::unready::{Gap, Stopped, Unready};
use crate::postgres::fault::{Side, judge};
use crate::postgres::pgoutput::{Decoder, Message};
use crate::postgres::replication::{Carried, Feed, Lump};
use crate::postgres::trouble::Trouble;
use async_trait::async_trait;
use model::{Code, Fate, Fault, News, Position, Resume, Source, Started, Step};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, sleep_until};

/// Why a history is known not to go on, and from where that was found; remembered until a new
/// history begins.
pub(super) type Lost = Arc<Mutex<Option<(Position, Gap)>>>;

/// A connection that follows, or is about to.
pub(super) struct Following {
    wanted: Wanted,
    at: Arc<str>,
    lost: Lost,
    stream: Option<Stream>,
}

/// A stream at work.
struct Stream {
    feed: Feed,
    decoder: Decoder,
    assembly: Assembly,
    confirming: Mutex<Confirming>,
    sight: Sight,
    aide: Aide,
    /// The place from which this stream goes on.
    after: Position,
    /// What was read and not taken yet, and how many of its packets were.
    lump: Option<(Lump, usize)>,
    /// The catalog is asked again: the stream describes a table in a way that is not known.
    look: Option<Pin<Box<Look>>>,
    /// When an idle server is asked how far it is.
    ask_at: Instant,
    alarm: Alarm,
    news: News,
}

type Look = dyn Future<Output = Result<Sight, Unready>> + Send;

impl Following {
    pub(super) fn new(wanted: Wanted, at: Arc<str>, lost: Lost) -> Self {
        Self { wanted, at, lost, stream: None }
    }

    fn lost(&self) -> MutexGuard<'_, Option<(Position, Gap)>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the history that goes on after this place is known to be lost.
    fn why_lost(&self, after: &Position) -> Option<Gap> {
        let mut lost = self.lost();
        if lost.as_ref().is_some_and(|(place, _)| place != after) {
            *lost = None;
        }
        lost.as_ref().map(|(_, gap)| gap.clone())
    }

    fn unready(&self, unready: Unready) -> Fault {
        match unready {
            Unready::Fault(fault) => {
                Fault { what: format!("{}: {}", self.at, fault.what), ..fault }
            }
            Unready::Trouble(trouble) => judge(Side::Source, &self.at, trouble),
        }
    }

    /// What the end of a stream means: the next start finds out what is to be done about it.
    fn stopped(&self, stopped: Stopped) -> Fault {
        match stopped {
            Stopped::Trouble(trouble @ Trouble::Malformed(_)) => {
                judge(Side::Source, &self.at, trouble)
            }
            Stopped::Trouble(trouble) => {
                Fault { fate: Fate::Retry, ..judge(Side::Source, &self.at, trouble) }
            }
            Stopped::Lost(gap) => {
                let what = format!("{}: {}", self.at, gap.why);
                if let Some(stream) = &self.stream {
                    *self.lost() = Some((stream.after.clone(), gap));
                }
                Fault::retry(Code::SourceHistoryLost, what)
            }
        }
    }
}

#[async_trait]
impl Source for Following {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.stream = None;
        let lost = after.and_then(|after| self.why_lost(&after.place.position));
        let begun = begin(&self.wanted, after, lost).await;
        let (started, begun) = begun.map_err(|unready| self.unready(unready))?;
        let place = match &started {
            Started::Fresh(place) => place,
            Started::Resumed | Started::Lost { .. } => match after {
                Some(after) => &after.place,
                None => return Ok(started),
            },
        };
        let (noted, after) = (place.witness.clone(), place.position.clone());
        self.stream = begun.map(|begun| Stream::new(begun, &self.wanted, &noted, after));
        Ok(started)
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        let Some(stream) = &mut self.stream else {
            return Err(Fault::stop(Code::Broken, "a source was not started"));
        };
        let stopped = match stream.next(&self.wanted).await {
            Ok(step) => return Ok(step),
            Err(stopped) => stopped,
        };
        Err(match stopped {
            Ended::Stopped(stopped) => self.stopped(stopped),
            Ended::Unready(unready) => Fault { fate: Fate::Retry, ..self.unready(unready) },
            Ended::Gap(why) => Fault::retry(Code::SourceHistoryLost, format!("{}: {why}", self.at)),
        })
    }

    fn confirm(&self, position: &Position) {
        if let (Some(stream), Some(upto)) = (&self.stream, lsn(position))
            && let Some(durable) = stream.confirming().confirm(upto)
        {
            stream.feed.confirm(durable);
            stream.aide.confirmed(upto);
        }
    }

    fn mark(&self) {
        if let Some(stream) = &self.stream {
            stream.feed.ask();
            stream.aide.mark();
        }
    }

    fn news(&mut self) -> News {
        self.stream.as_mut().map(Stream::news).unwrap_or_default()
    }
}

/// Why a stream ended.
enum Ended {
    Stopped(Stopped),
    Unready(Unready),
    /// Something happened that the stream says nothing of.
    Gap(String),
}

impl From<Stopped> for Ended {
    fn from(stopped: Stopped) -> Self {
        Ended::Stopped(stopped)
    }
}

impl From<Trouble> for Ended {
    fn from(trouble: Trouble) -> Self {
        Ended::Stopped(trouble.into())
    }
}

impl Stream {
    fn new(begun: Begun, wanted: &Wanted, noted: &[u8], after: Position) -> Self {
        let Begun { feed, assembly, sight, witness, slot } = begun;
        let bytes = witness.to_bytes();
        let news = News { witness: (bytes != noted).then_some(bytes), ..News::default() };
        Self {
            feed,
            decoder: Decoder::new(),
            assembly,
            confirming: Mutex::default(),
            sight,
            aide: Aide::begin(wanted.clone(), witness, slot),
            after,
            lump: None,
            look: None,
            ask_at: Instant::now(),
            alarm: Alarm::new(wanted.limits.slot_wal_bytes_max),
            news,
        }
    }

    fn confirming(&self) -> MutexGuard<'_, Confirming> {
        self.confirming.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&mut self, wanted: &Wanted) -> Result<Step, Ended> {
        loop {
            if let Some(step) = self.assembly.step() {
                self.ask_at = Instant::now() + wanted.limits.idle_pause;
                return Ok(step);
            }
            if let Some(look) = &mut self.look {
                let sight = look.await;
                self.look = None;
                self.sight = sight.map_err(Ended::Unready)?;
                self.take_lump(wanted, true)?;
                continue;
            }
            if self.lump.is_some() {
                self.take_lump(wanted, false)?;
                continue;
            }
            tokio::select! {
                biased;
                gap = self.aide.gap() => return Err(Ended::Gap(gap)),
                // A server that shuts down asks again and again, so that there is always a lump.
                trouble = self.aide.leaving() => return Err(trouble.into()),
                lump = self.feed.next() => self.lump = Some((lump?, 0)),
                () = sleep_until(self.ask_at) => {
                    self.feed.ask();
                    self.ask_at = Instant::now() + wanted.limits.idle_pause;
                }
            }
        }
    }

    /// Takes the lump at hand, up to where a table is described in a way that is not known. `looked`
    /// says that the catalog was just asked because of that one.
    fn take_lump(&mut self, wanted: &Wanted, mut looked: bool) -> Result<(), Stopped> {
        let Some((lump, done)) = self.lump.take() else { return Ok(()) };
        let confirming = self.confirming.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (number, carried) in lump.carried().enumerate().skip(done) {
            let message = match carried? {
                Carried::Alive { end, sent_at, asks } => {
                    self.assembly.alive(end, sent_at)?;
                    let told = if asks { confirming.asked(end) } else { None };
                    told.inspect(|&durable| self.feed.confirm(durable));
                    continue;
                }
                Carried::Message { message, .. } => message,
            };
            let message = self.decoder.read(message)?;
            if let Message::Relation { relation, .. } = &message {
                match told(relation, &self.sight, looked)? {
                    Told::Is(followed) => self.assembly.describe(relation.oid, followed),
                    Told::Unknown => {
                        let Wanted { access, tables, outbox, .. } = wanted.clone();
                        self.look = Some(Box::pin(Sight::anew(access, tables, outbox)));
                        self.lump = Some((lump, number));
                        break;
                    }
                }
                looked = false;
            } else if self.assembly.take(&message, confirming)? == Taken::Unknown {
                return Err(
                    Trouble::malformed("a table was described at no place of its own").into()
                );
            }
        }
        self.aide.reached(self.assembly.reached());
        if !self.assembly.is_checking()
            && let Some(durable) = confirming.known()
        {
            self.feed.confirm(durable);
        }
        Ok(())
    }

    fn news(&mut self) -> News {
        let Findings { slot, witness, notices, .. } = self.aide.findings();
        self.news.notices.extend(notices);
        if let Some(witness) = witness {
            self.news.witness = Some(witness.to_bytes());
        }
        if let Some(slot) = slot {
            self.news.retained_bytes = Some(slot.retained);
            self.news.notices.extend(self.alarm.take(&slot));
        }
        std::mem::take(&mut self.news)
    }
}

impl fmt::Debug for Following {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Following").field("at", &self.at).finish_non_exhaustive()
    }
}
