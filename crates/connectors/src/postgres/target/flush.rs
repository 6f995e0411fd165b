//! Has the server write to its disk what was committed, beside the work: whoever commits next does not
//! wait for the disk.

use super::books;
use crate::postgres::access::Access;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use model::{Lane, Watermark};
use std::sync::Arc;
use tokio::task::JoinHandle;

/// At most one flush at a time, on a connection of its own.
#[derive(Debug, Default)]
pub(super) struct Flushing {
    under_way: Option<(Watermark, JoinHandle<Result<Session, Trouble>>)>,
    /// The connection of the last one.
    session: Option<Session>,
}

impl Flushing {
    /// Asks for a flush of what was committed up to this watermark, unless one is under way.
    pub(super) fn ask(&mut self, access: &Arc<Access>, lane: &Lane, watermark: &Watermark) {
        if self.under_way.is_some() {
            return;
        }
        let session = self.session.take().filter(|session| !session.is_closed());
        let (access, note) = (Arc::clone(access), books::flush(lane, watermark));
        let flush = async move {
            let session = match session {
                Some(session) => session,
                None => Session::connect(&access).await?,
            };
            session.query(&note).await?;
            Ok(session)
        };
        self.under_way = Some((watermark.clone(), tokio::spawn(flush)));
    }

    /// Up to where everything is on the disk, if that is news. A flush that failed is no news: the
    /// next one will tell.
    pub(super) async fn news(&mut self) -> Option<Watermark> {
        let (watermark, task) = self.under_way.take_if(|(_, task)| task.is_finished())?;
        let session = task.await.ok()?.ok()?;
        self.session = Some(session);
        Some(watermark)
    }
}

impl Drop for Flushing {
    fn drop(&mut self) {
        if let Some((_, task)) = &self.under_way {
            task.abort();
        }
    }
}
