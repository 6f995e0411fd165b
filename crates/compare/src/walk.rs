//! Cuts the source's keys into stretches, a little ahead of those who compare them.

use crate::line::Line;
use crate::pace::Pace;
use crate::plan::Plan;
use crate::progress::Stop;
use model::{Fault, Key, Selection};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;

/// Cuts stretches.
pub(crate) struct Walk {
    /// What each side is asked.
    pub(crate) plan: Arc<Plan>,
    /// To the source.
    pub(crate) source: Line,
    /// To the copy, whose keys lie behind the source's last one perhaps.
    pub(crate) copy: Line,
    /// How many rows a stretch should have.
    pub(crate) pace: Arc<Mutex<Pace>>,
    /// Which stretches are compared, if not all.
    pub(crate) sample: Option<Sample>,
    /// Ends it early.
    pub(crate) stop: Stop,
}

/// Draws stretches.
pub(crate) struct Sample {
    /// About so many of a hundred.
    pub(crate) percent: f64,
    /// What was drawn last.
    pub(crate) state: u64,
    /// Whether any was taken.
    pub(crate) has_any: bool,
}

impl Walk {
    /// Gives stretches that hold every key there is, none twice, as long as somebody takes them.
    pub(crate) async fn run(mut self, stretches: mpsc::Sender<Selection>) -> Result<(), Fault> {
        let mut after: Option<Key> = None;
        loop {
            let upto = self.cut(after.as_ref()).await?;
            let is_last = upto.is_none();
            let is_taken = self.sample.as_mut().is_none_or(|sample| sample.takes(is_last));
            let stretch = Selection::Range { after: after.take(), upto: upto.clone() };
            if is_taken && stretches.send(stretch).await.is_err() {
                return Ok(());
            }
            if is_last || self.stop.is_told() {
                return Ok(());
            }
            after = upto;
        }
    }

    /// Where the next stretch ends; none if it is the last.
    async fn cut(&mut self, after: Option<&Key>) -> Result<Option<Key>, Fault> {
        let rows = self.pace.lock().unwrap_or_else(PoisonError::into_inner).rows();
        let plan = Arc::clone(&self.plan);
        let cut = self.source.cut(&plan.source, after, rows).await?;
        match cut {
            Some(cut) => Ok(Some(cut)),
            // The copy may have any number of rows where the source has none.
            None => self.copy.cut(&plan.copy, after, rows).await,
        }
    }
}

impl Sample {
    /// Whether the next stretch is taken. One always is.
    pub(crate) fn takes(&mut self, is_last: bool) -> bool {
        let drawn = self.draw() * 100.0;
        let is_taken = drawn < self.percent || (is_last && !self.has_any);
        self.has_any |= is_taken;
        is_taken
    }

    /// A number from zero to one: the generator is SplitMix64.
    fn draw(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let bits = u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap_or_default();
        f64::from(bits) / (f64::from(u32::MAX) + 1.0)
    }
}
