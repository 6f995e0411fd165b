//! Where following by triggers begins, and whether it can go on where it was.

use super::books::{self, Noted};
use super::install::{self, Standing};
use super::reading::Reading;
use crate::postgres::lsn::Lsn;
use crate::postgres::session::Session;
use crate::postgres::source::begin::{History, Wanted};
use crate::postgres::source::known_history::Known;
use crate::postgres::source::names::{position, publication_name};
use crate::postgres::source::server::{self, Server};
use crate::postgres::source::sight::Sight;
use crate::postgres::source::unready::Unready;
use crate::postgres::source::witness::Witness;
use crate::postgres::trouble::Trouble;
use model::{Place, Resume, Started, TransactionId};

/// What goes on, and what is to be noted of it.
pub(super) struct Begun {
    pub(super) reading: Reading,
    pub(super) witness: Witness,
}

/// Begins to follow, after the given place if there is one.
pub(super) async fn begin(
    wanted: &Wanted,
    after: Option<&Resume>,
) -> Result<(Started, Option<Begun>), Unready> {
    let session = Session::connect(&wanted.access).await?;
    let server = Server::of(&session).await?;
    let history = after.map(|after| History::of(after, &server)).transpose()?;
    let sight = Sight::of(&session, &wanted.tables, None).await?;
    let schema = publication_name(&wanted.follower);
    let before = install::look(&session, &schema).await?;
    let standing = install::ensure(&session, &schema, &sight.tables).await?;
    let beginning = Beginning { session, server, sight, schema, standing };
    let Some(history) = history else {
        books::forget_after(&beginning.session, &beginning.schema, Lsn(0)).await?;
        let (noted, witness) = beginning.anew().await?;
        let place = beginning.place(&noted, &witness);
        let begun = beginning.follow(wanted, noted, witness);
        return Ok((Started::Fresh(place), Some(begun)));
    };
    let noted = match before {
        Some(_) => books::newest(&beginning.session, &beginning.schema, history.upto).await?,
        None => None,
    };
    let witness = beginning.witness(history.witness.began);
    if let Some((why, same_history)) = beginning.gap(&history, before.is_some(), noted.as_ref()) {
        // What begins lies behind what is lost.
        server::mark(&beginning.session).await?;
        let (now, witness) = beginning.anew().await?;
        let same_history = same_history && now.place > history.upto;
        let witness = witness.with_those_before(&history.witness);
        let now = beginning.place(&now, &witness);
        return Ok((Started::Lost { why, same_history, now }, None));
    }
    books::forget_after(&beginning.session, &beginning.schema, history.upto).await?;
    let noted = noted.ok_or_else(|| Trouble::malformed("a note is gone again"))?;
    let witness = witness.with_those_before(&history.witness);
    let mut begun = beginning.follow(wanted, noted, witness);
    begun.reading.reached = history.upto;
    Ok((Started::Resumed, Some(begun)))
}

/// What is at hand once the server was asked.
struct Beginning {
    session: Session,
    server: Server,
    sight: Sight,
    schema: String,
    standing: Standing,
}

impl Beginning {
    /// Why the history cannot go on, if so; and whether what was before still is.
    fn gap(
        &self,
        history: &History,
        was_there: bool,
        noted: Option<&Noted>,
    ) -> Option<(String, bool)> {
        let History { upto, witness, last } = history;
        if *upto > self.server.written {
            let written = self.server.written;
            let why =
                format!("restored: {upto} was reached, but the server's log ends at {written}");
            return Some((why, false));
        }
        if !was_there {
            return Some(("what recorded the changes was taken away".to_owned(), true));
        }
        if let Some(missed) = witness.missed(&self.witness(witness.began), &|_, _| false) {
            return Some((missed, true));
        }
        let Some(noted) = noted else {
            return Some((format!("no reading up to {upto} is noted"), true));
        };
        let known = Known {
            end: noted.place,
            transaction: TransactionId(noted.number),
            committed_at: noted.read_at,
        };
        let last = last.filter(|last| *last != known)?;
        Some((format!("restored: the reading at {} is not noted as it was", last.end), false))
    }

    /// Begins anew: nothing that was recorded before counts. What is noted of before stays until
    /// somebody goes on from here, so that whoever asks again gets the same answer.
    async fn anew(&self) -> Result<(Noted, Witness), Unready> {
        let place = Lsn(server::written(&self.session).await?.0.saturating_sub(1));
        let ask = format!("select {}", Noted::SEES);
        let row = self.session.query(&ask).await?.pop().unwrap_or_default();
        let noted = Noted::read(place, &row)?;
        books::note(&self.session, &self.schema, &noted).await?;
        Ok((noted, self.witness(place)))
    }

    fn witness(&self, began: Lsn) -> Witness {
        let recorded = |oid: u32| self.standing.tables.get(&oid).copied();
        Witness {
            timeline: self.server.timeline,
            began,
            publication: (self.standing.schema, 0),
            tables: self.sight.seen(|table| recorded(table.oid), |_| 0),
        }
    }

    fn place(&self, noted: &Noted, witness: &Witness) -> Place {
        let position = position(noted.place);
        Place { identity: self.server.identity(), position, witness: witness.to_bytes() }
    }

    fn follow(self, wanted: &Wanted, noted: Noted, witness: Witness) -> Begun {
        let reading = Reading {
            session: self.session,
            schema: self.schema,
            tables: self.sight.tables,
            part_bytes_max: wanted.limits.part_bytes_max,
            seen: noted.snapshot,
            reached: noted.place,
        };
        Begun { reading, witness }
    }
}
