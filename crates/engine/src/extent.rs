//! Extent: which history a lane follows, and how far its log reaches into it.

use crate::catalog::{Catalog, History};
use model::{Fault, Lane, Log, Offset};
use std::time::Duration;
use tokio::time::sleep;

/// How far a lane's log reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) history: History,
    /// The log's end.
    pub(crate) end: Offset,
    /// Whether the log reaches into the history; if not, it will say that there is a gap before
    /// anything that comes next.
    pub(crate) is_reached: bool,
}

impl Extent {
    /// Looks at the lane; waits until capture has begun its history.
    pub(crate) async fn look(
        catalog: &dyn Catalog,
        log: &dyn Log,
        lane: &Lane,
    ) -> Result<Self, Fault> {
        loop {
            if let Some(history) = catalog.history(lane).await? {
                let bounds = log.bounds(lane).await?;
                let end = history.end_of(&bounds);
                let is_reached = end.is_some();
                let end = end.or(bounds.last).unwrap_or_else(|| history.beginning());
                return Ok(Self { history, end, is_reached });
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// P8: whether everything after this offset is still to come in the log, or the log will say
    /// what is not. An offset from before this history, or from another one, has a gap behind it
    /// that no log can fill.
    pub(crate) fn follows(&self, offset: &Offset) -> bool {
        let history = &self.history;
        !self.is_reached
            || offset.incarnation == history.incarnation && offset.position >= history.began
    }
}
