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
use crate::postgres::session::Session;
use async_trait::async_trait;
use model::{
    Batch, Claim, Code, Epoch, Fault, Lane, Leadership, Mode, Outcome, Standing, Target, Tenure,
};
use std::collections::BTreeMap;

/// A connection.
#[derive(Debug)]
pub(super) struct Connected {
    /// None while work is under way, and after it was given up.
    writer: Option<Writer>,
    /// Leases are renewed here while a transaction is open there.
    side: Option<Session>,
    flushing: Flushing,
    /// The epochs under which it leads.
    epochs: BTreeMap<Lane, Epoch>,
}

impl Connected {
    /// The connection of a writer.
    pub(super) fn new(writer: Writer) -> Self {
        Self {
            writer: Some(writer),
            side: None,
            flushing: Flushing::default(),
            epochs: BTreeMap::new(),
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
        let judge = |trouble| of_server(&access, trouble);
        if writer.is_open() && self.side.as_ref().is_none_or(Session::is_closed) {
            self.side = Some(settings::connect(&access).await?);
        }
        let side = self.side.as_ref().filter(|_| writer.is_open());
        let session = side.unwrap_or(&writer.session);
        let led = lease::take(session, &access, lane, tenure).await?;
        if let Leadership::Held(epoch) = led {
            if self.epochs.insert(lane.clone(), epoch) != Some(epoch) {
                lease::make_way(session, lane).await.map_err(judge)?;
            }
            writer.patience = tenure.lasting;
        }
        self.writer = Some(writer);
        Ok(led)
    }

    async fn standing(&mut self, lane: &Lane) -> Result<Standing, Fault> {
        let mut writer = self.take()?;
        // Whoever asks goes on from there.
        writer.take_back().await?;
        let standing = books::standing(&writer.session, &writer.access, lane).await?;
        self.writer = Some(writer);
        Ok(standing)
    }

    async fn apply(&mut self, batch: &Batch, mode: Mode) -> Result<Outcome, Fault> {
        let mut writer = self.take()?;
        let mut outcome = writer.apply(batch, mode).await;
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
