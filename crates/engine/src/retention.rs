//! Task: trims the log up to the lowest watermark that its groups hold durably (E4), and lets go of
//! one that holds up a full log, whichever lane needs the room.

use crate::board::{Board, Reporter};
use crate::limits::Limits;
use crate::task::{Stop, Task};
use async_trait::async_trait;
use model::attack::{Bug, planted};
use model::{Fault, Lane, Log, Watermark};
use std::sync::Arc;
use tokio::time::{Instant, timeout};

/// Keeps one lane of the log short.
pub(crate) struct Retention {
    pub(crate) lane: Lane,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) board: Board,
    pub(crate) limits: Limits,
    pub(crate) reporter: Reporter,
}

#[async_trait]
impl Task for Retention {
    async fn run(&mut self, stop: &Stop) -> Result<(), Fault> {
        let (mut trimmed, mut looks_at) = (None, Instant::now());
        while !stop.asked() {
            // Registered before the board is read, so that a move in between is not missed.
            let moved = self.board.flushed_moved();
            let lowest = lowest(self.board.done_with());
            if lowest.is_some() && lowest != trimmed {
                if let Some(upto) = &lowest {
                    self.log.trim(&self.lane, upto).await?;
                    self.reporter.step();
                }
                trimmed = lowest;
            }
            // To look takes the log's own time, and who holds up a full log may do so for a while.
            if Instant::now() >= looks_at {
                looks_at = Instant::now() + self.limits.idle();
                if self.log.bounds(&self.lane).await?.is_full {
                    self.reporter.log_is_full(self.limits.full_grace);
                }
            }
            stop.or(timeout(self.limits.idle(), moved)).await;
        }
        Ok(())
    }
}

/// The lowest of them; none while a group has none, because it still needs everything.
fn lowest(flushed: Vec<Option<Watermark>>) -> Option<Watermark> {
    if planted(Bug::TrimAboveLowestWatermark) {
        return flushed.into_iter().flatten().max();
    }
    flushed.into_iter().min()?
}

#[cfg(test)]
mod tests {
    use super::lowest;
    use model::{Incarnation, Offset, Position};

    #[test]
    fn a_group_without_a_watermark_keeps_the_whole_log() {
        let at = |number| Some(Offset::whole(Incarnation(1), Position::from_number(number)));
        assert_eq!(lowest(vec![at(5), None, at(7)]), None);
        assert_eq!(lowest(vec![at(5), at(3), at(7)]), at(3));
        assert_eq!(lowest(vec![]), None);
    }
}
