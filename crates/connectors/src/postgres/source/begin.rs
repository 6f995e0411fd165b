//! Where following begins: the server is asked who it is and what it still has, and what is missing
//! there is made, the publication before the slot.

use super::assembly::Assembly;
use super::known_history::{Again, Known};
use super::limits::SourceLimits;
use super::names::{self, lsn, position};
use super::numbers::Numbers;
use super::server::{self, Server};
use super::sight::Sight;
use super::unready::{Gap, Unready};
use super::witness::Witness;
use super::{publication, slot};
use crate::postgres::access::Access;
use crate::postgres::lsn::Lsn;
use crate::postgres::outbox::Outbox;
use crate::postgres::replication::{Feed, Follow, Replication};
use crate::postgres::schema::Described;
use crate::postgres::session::Session;
use bytes::Bytes;
use model::{Code, Fault, Place, Resume, Started, TableName};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// What is followed, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) access: Access,
    pub(super) tables: Vec<TableName>,
    pub(super) outbox: Option<Outbox>,
    pub(super) follower: String,
    pub(super) limits: SourceLimits,
}

/// A stream that has begun.
pub(super) struct Begun {
    pub(super) feed: Feed,
    pub(super) assembly: Assembly,
    pub(super) sight: Sight,
    pub(super) witness: Witness,
    pub(super) slot: String,
}

/// What the history that is to go on is known by.
pub(super) struct History {
    pub(super) upto: Lsn,
    pub(super) witness: Witness,
    pub(super) last: Option<Known>,
}

/// Begins to follow, after the given place if there is one. `lost` says why the history that ends
/// there is known to be none of this server's.
pub(super) async fn begin(
    wanted: &Wanted,
    after: Option<&Resume>,
    lost: Option<Gap>,
) -> Result<(Started, Option<Begun>), Unready> {
    let session = Session::connect(&wanted.access).await?;
    let mut replication = server::connect(&wanted.access).await?;
    let server = Server::ask(&session, &mut replication).await?;
    let history = after.map(|after| History::of(after, &server)).transpose()?;
    let sight = Sight::of(&session, &wanted.tables, wanted.outbox.as_ref()).await?;
    let publication = publication::ensure(&session, &wanted.follower, &sight.tables).await?;
    let slot = names::slot_name(&wanted.follower, server.database_oid);
    let mut beginning = Beginning { wanted, session, server, sight, slot, publication };
    let Some(history) = history else {
        // One that is left over stands where the publication was another one perhaps, or was not.
        beginning.standing().await?;
        let from = beginning.slot_anew().await?;
        let witness = beginning.witness(from, &Witness::default()).await?;
        let place = beginning.place(from, &witness);
        let again = Again::new(from, (from, from), None);
        let begun = beginning.follow(replication, from, again, from, witness).await?;
        return Ok((Started::Fresh(place), Some(begun)));
    };
    let gap = match lost {
        Some(gap) => Some(gap),
        None => beginning.gap(&history, &mut replication).await?,
    };
    if let Some(gap) = gap {
        return Ok((beginning.declare(gap, &history).await?, None));
    }
    let before = &history.witness;
    let witness = beginning.witness(before.began, before).await?;
    let new = witness.kinds().filter(|(kind, _)| before.since(kind).is_none());
    let new = new.map(|(kind, _)| kind.into()).collect();
    let witness = witness.with_those_before(before);
    let standing = beginning.standing().await?.unwrap_or_default();
    let (from, upto) = (standing.confirmed, history.upto);
    let again = Again::new(from, (before.began, upto), history.last).without(new);
    let begun = beginning.follow(replication, from, again, upto, witness).await?;
    Ok((Started::Resumed, Some(begun)))
}

impl History {
    /// Of the same server, on the same branch of its history or a later one.
    pub(super) fn of(after: &Resume, server: &Server) -> Result<Self, Fault> {
        let identity = server.identity();
        if after.place.identity != identity {
            let what = format!("pinned to {}, but this is {identity}", after.place.identity);
            return Err(Fault::lost(Code::SourceChanged, what));
        }
        let odd = || Fault::stop(Code::Broken, "a position that is none of PostgreSQL's");
        let upto = lsn(&after.place.position).ok_or_else(odd)?;
        // Without a witness nothing is known of what came before.
        let unknown = || Witness { began: upto, ..Witness::default() };
        let witness = Witness::from_bytes(&after.place.witness).unwrap_or_else(unknown);
        if server.timeline < witness.timeline {
            let what = format!(
                "a server on timeline {} answers, which was left behind when another one was promoted: \
                 timeline {} was followed",
                server.timeline, witness.timeline
            );
            return Err(Fault::lost(Code::SourceChanged, what));
        }
        let last = after.last.as_ref().map(|last| -> Result<_, Fault> {
            let end = lsn(&last.offset.position).ok_or_else(odd)?;
            Ok(Known { end, transaction: last.transaction, committed_at: last.committed_at })
        });
        Ok(Self { upto, witness, last: last.transpose()? })
    }
}

/// How long the server may take to see that a connection of ours is gone.
const GOING: Duration = Duration::from_secs(5);

/// What is at hand once the server was asked.
struct Beginning<'a> {
    wanted: &'a Wanted,
    session: Session,
    server: Server,
    sight: Sight,
    slot: String,
    publication: publication::Standing,
}

impl Beginning<'_> {
    /// The slot as it stands, if there is one; refused is one that somebody reads.
    async fn standing(&self) -> Result<Option<slot::Standing>, Unready> {
        let mut standing = slot::look(&self.session, &self.slot).await?;
        let until = Instant::now() + GOING;
        while standing.as_ref().is_some_and(|it| it.active.is_some()) && Instant::now() < until {
            sleep(GOING / 50).await;
            standing = slot::look(&self.session, &self.slot).await?;
        }
        if let Some(pid) = standing.as_ref().and_then(|standing| standing.active) {
            let slot = &self.slot;
            let what = format!(
                "the slot {slot} is read by process {pid} of the server: by another Instep with a copy \
                 of our data directory, or by a connection of ours that the server has not given up yet"
            );
            return Err(Fault::retry(Code::PostgresSlot, what).into());
        }
        Ok(standing)
    }

    /// Why the history cannot go on, if so.
    async fn gap(
        &self,
        history: &History,
        replication: &mut Replication,
    ) -> Result<Option<Gap>, Unready> {
        let History { upto, witness, .. } = history;
        if *upto > self.server.written {
            let written = self.server.written;
            let why =
                format!("restored: {upto} was reached, but the server's log ends at {written}");
            return Ok(Some(Gap::restored(why)));
        }
        if witness.timeline != 0 && witness.timeline < self.server.timeline {
            let branched =
                server::branched(replication, self.server.timeline, witness.timeline).await?;
            if branched.is_none_or(|branched| branched < *upto) {
                let branched = branched.unwrap_or_default();
                let why = format!(
                    "a standby was promoted that had come to {branched} only, and we to {upto}"
                );
                return Ok(Some(Gap::restored(why)));
            }
        }
        let Some(standing) = self.standing().await? else {
            return Ok(Some(Gap::missed(format!("the slot {} is gone", self.slot))));
        };
        if standing.is_lost() {
            let status = &standing.wal_status;
            return Ok(Some(Gap::missed(format!("the slot {} is of no use: {status}", self.slot))));
        }
        let bound = self.wanted.limits.slot_wal_bytes_max;
        if bound > 0 && standing.retained > bound {
            let retained = standing.retained;
            let why = format!(
                "the slot {} kept {retained} bytes of the log, more than slot_wal_bytes_max ({bound})",
                self.slot
            );
            return Ok(Some(Gap::missed(why)));
        }
        if standing.confirmed > *upto {
            let confirmed = standing.confirmed;
            let why = format!("the slot {} was read up to {confirmed} by somebody else", self.slot);
            return Ok(Some(Gap::missed(why)));
        }
        let now = self.witness(witness.began, witness).await?;
        let missed = witness.missed(&now, &|_, _| false);
        Ok(missed.map(Gap::missed))
    }

    /// Says that history was lost, and where following could begin: behind a slot that is made anew,
    /// since an earlier one may stand where the publication was another.
    async fn declare(&self, gap: Gap, history: &History) -> Result<Started, Unready> {
        let from = self.slot_anew().await?;
        let witness = self.witness(from, &Witness::default()).await?;
        let witness = witness.with_those_before(&history.witness);
        let now = self.place(from, &witness);
        let same_history = gap.same_history && from > history.upto;
        Ok(Started::Lost { why: gap.why, same_history, now })
    }

    /// Makes the slot, in place of one that is of no use.
    async fn slot_anew(&self) -> Result<Lsn, Unready> {
        slot::drop_it(&self.session, &self.slot).await?;
        let Wanted { access, limits, .. } = self.wanted;
        slot::create(access, &self.session, &self.slot, limits.slot_patience).await
    }

    /// What is to be noted of the tables as they are now. Kinds that were followed before are told
    /// of since then, and others from now on: what is to tell of them stands already.
    async fn witness(&self, began: Lsn, before: &Witness) -> Result<Witness, Unready> {
        let next = server::next_transaction(&self.session).await?;
        let place = |table: &Described| self.publication.place_of(table);
        Ok(Witness {
            timeline: self.server.timeline,
            began,
            publication: (self.publication.oid, self.publication.changed),
            tables: self.sight.seen(place, |kind| before.since(kind).unwrap_or(next)),
        })
    }

    fn place(&self, at: Lsn, witness: &Witness) -> Place {
        let witness: Bytes = witness.to_bytes();
        Place { identity: self.server.identity(), position: position(at), witness }
    }

    async fn follow(
        &mut self,
        replication: Replication,
        from: Lsn,
        again: Again,
        reached: Lsn,
        witness: Witness,
    ) -> Result<Begun, Unready> {
        let limits = &self.wanted.limits;
        let follow = Follow {
            slot: self.slot.clone(),
            after: from,
            publications: vec![names::publication_name(&self.wanted.follower)],
            streaming: true,
            two_phase: false,
            local_only: false,
        };
        let feed = replication.follow(&follow, &limits.feed()).await?;
        let numbers = Numbers::near(self.server.next_transaction);
        let assembly = Assembly::new(limits.part_bytes_max, numbers, again, reached);
        let (sight, slot) = (self.sight.clone(), self.slot.clone());
        Ok(Begun { feed, assembly, sight, witness, slot })
    }
}
