//! A connection to a target, as the engine has it.
//!
//! Work that is given up half-way takes its connection with it, so that nobody ever finds a
//! transaction open that is not his own.

use super::books;
use super::flush::Flushing;
use super::lease;
use super::settings;
use super::trouble::of_server;
use super::writer::Writer;
use crate::postgres::access::Access;
use crate::postgres::session::Session;
use async_trait::async_trait;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, select};
use model::{
    Batch, Claim, Code, Epoch, Fault, Lane, Leadership, Mode, Outcome, Standing, Target, Tenure,
};
use std::collections::BTreeMap;
use tokio::time::sleep;

/// A connection.
#[derive(Debug)]
pub(super) struct Connected {
    /// None while work is under way, and after it was given up.
    writer: Option<Writer>,
    /// Leases are renewed here while a transaction is open there.
    side: Option<Session>,
    flushing: Flushing,
    /// Under which epochs it leads, and for how long at a time.
    led: BTreeMap<Lane, (Tenure, Epoch)>,
}

/// Work with a writer.
type Work<'a> = BoxFuture<'a, Result<Outcome, Fault>>;

impl Connected {
    /// The connection of a writer.
    pub(super) fn new(writer: Writer) -> Self {
        Self {
            writer: Some(writer),
            side: None,
            flushing: Flushing::default(),
            led: BTreeMap::new(),
        }
    }

    /// Works, and keeps the lease meanwhile, however long the server takes for one statement. What
    /// becomes of the lease the commit will find.
    async fn leading<'a>(
        &mut self,
        access: &Access,
        lane: &Lane,
        mut work: Work<'a>,
    ) -> Result<Outcome, Fault> {
        let Some((tenure, _)) = self.led.get(lane).cloned() else { return work.await };
        loop {
            match select(work, Box::pin(sleep(tenure.lasting / 3))).await {
                Either::Left((outcome, _)) => return outcome,
                Either::Right(((), still)) => work = still,
            }
            let renew = async {
                let side = beside(&mut self.side, access).await?;
                lease::take(side, access, lane, &tenure).await
            };
            match select(work, Box::pin(renew)).await {
                Either::Left((outcome, _)) => return outcome,
                Either::Right((_, still)) => work = still,
            }
        }
    }

    fn take(&mut self) -> Result<Writer, Fault> {
        let gone = || Fault::retry(Code::TargetUnavailable, "the connection was given up");
        self.writer.take().ok_or_else(gone)
    }
}

#[async_trait]
impl Target for Connected {
    fn claim(&self) -> Claim {
        Claim::Transactional
    }

    async fn lead(&mut self, lane: &Lane, tenure: &Tenure) -> Result<Leadership, Fault> {
        let mut writer = self.take()?;
        let access = writer.access.clone();
        let session = match writer.is_open() {
            true => beside(&mut self.side, &access).await?,
            false => &writer.session,
        };
        let led = lease::take(session, &access, lane, tenure).await?;
        if let Leadership::Held(epoch) = led {
            if self.led.get(lane).is_none_or(|(_, known)| *known != epoch) {
                let made = lease::make_way(session, lane).await;
                made.map_err(|trouble| of_server(&access, trouble))?;
            }
            self.led.insert(lane.clone(), (tenure.clone(), epoch));
            writer.patience = tenure.lasting;
        }
        self.writer = Some(writer);
        Ok(led)
    }

    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        let mut writer = self.take()?;
        // Whoever asks goes on from there.
        writer.take_back().await?;
        let mut standing = books::standing(&writer.session, &writer.access, lane).await?;
        standing.refers = writer.tables.refers(&writer.session).await?;
        self.writer = Some(writer);
        Ok(standing)
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let mut writer = self.take()?;
        let access = writer.access.clone();
        let work = writer.apply(batch, mode).boxed();
        let mut outcome = self.leading(&access, &batch.lane, work).await;
        if let Ok(Outcome::Written { flushed, .. }) = &mut outcome {
            *flushed = self.flushing.news().await;
            if batch.writes.is_empty() && batch.last {
                self.flushing.ask(&writer.access, &batch.lane, &batch.watermark);
            }
        }
        if !writer.session.is_closed() {
            self.writer = Some(writer);
        }
        outcome
    }
}

/// The connection beside the writer's.
async fn beside<'a>(side: &'a mut Option<Session>, access: &Access) -> Result<&'a Session, Fault> {
    let session = match side.take().filter(|side| !side.is_closed()) {
        Some(session) => session,
        None => settings::connect(access).await?,
    };
    Ok(side.insert(session))
}
