//! Feed: what comes through a slot, in lumps, and what is confirmed.
//!
//! A task of its own reads and answers the server. Invariant: however long the owner takes over a
//! lump, the server hears of us in time; and it is never told that more is durable than the owner
//! confirmed.

use super::known::Known;
use super::lump::Lump;
use super::pace::Pace;
use super::read::Reading;
use super::write::Writing;
use crate::postgres::link::Stream;
use crate::postgres::lsn::Lsn;
use crate::postgres::trouble::Trouble;
use bytes::BytesMut;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Bounds of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedLimits {
    /// How long the server may say nothing before it counts as gone.
    pub silence: Duration,
    /// How often the server hears of us; well below its `wal_sender_timeout`.
    pub status_every: Duration,
    /// The largest packet, and so about the largest row.
    pub packet_bytes_max: usize,
    /// About how much one reading takes.
    pub lump_bytes: usize,
}

impl Default for FeedLimits {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(30),
            status_every: Duration::from_secs(1),
            packet_bytes_max: 256 << 20,
            lump_bytes: 256 << 10,
        }
    }
}

/// Lumps that may wait for their owner.
const LUMPS_MAX: usize = 2;

/// A stream that has begun.
#[derive(Debug)]
pub struct Feed {
    lumps: Receiver<Result<Lump, Trouble>>,
    known: Arc<Known>,
    task: JoinHandle<()>,
}

impl Feed {
    /// Over a connection on which the server has begun to send.
    pub(super) fn begin(stream: Stream, read: BytesMut, after: Lsn, limits: &FeedLimits) -> Self {
        let (sender, lumps) = channel(LUMPS_MAX);
        let known = Arc::new(Known::at(after));
        let task = tokio::spawn(run(stream, read, known.clone(), sender, limits.clone()));
        Self { lumps, known, task }
    }

    /// The next lump; waits until there is one. Dropping the future loses nothing.
    pub async fn next(&mut self) -> Result<Lump, Trouble> {
        let over = || Err(io::Error::new(io::ErrorKind::NotConnected, "the stream is over").into());
        self.lumps.recv().await.unwrap_or_else(over)
    }

    /// Everything up to here is durable with us: the server may forget it. Never blocks.
    pub fn confirm(&self, durable: Lsn) {
        self.known.durable(durable);
    }

    /// Asks the server how far it is; the answer comes among the lumps. Never blocks.
    pub fn ask(&self) {
        self.known.ask();
    }

    /// Says the last word, and waits until the server has heard it. What still comes is dropped.
    pub async fn end(mut self, within: Duration) -> Result<(), Trouble> {
        self.known.end();
        let drain = async { while self.lumps.recv().await.is_some_and(|lump| lump.is_ok()) {} };
        let slow = |_| Trouble::Silent("the server did not end the stream".to_owned());
        timeout(within, drain).await.map_err(slow)
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    stream: Stream,
    buffer: BytesMut,
    known: Arc<Known>,
    lumps: Sender<Result<Lump, Trouble>>,
    limits: FeedLimits,
) {
    let FeedLimits { silence, status_every: every, packet_bytes_max, lump_bytes } = limits;
    let (from, to) = tokio::io::split(stream);
    let known = &*known;
    let sender = lumps.clone();
    let pace = Pace::new(Instant::now());
    let reading =
        Reading { from, buffer, pace, known, lumps, packet_bytes_max, lump_bytes, silence };
    let writing = Writing { to, known, every, silence };
    let (mut reading, mut writing) = (Box::pin(reading.run()), Box::pin(writing.run()));
    let ended = tokio::select! {
        ended = &mut reading => ended,
        ended = &mut writing => match ended {
            // After our last word the server has its own.
            Ok(()) => reading.await,
            // Whoever closes a connection may have said why, behind what is not read yet.
            Err(broken @ Trouble::Broken(_)) => match reading.await {
                Err(refused @ Trouble::Refused(_)) => Err(refused),
                _ => Err(broken),
            },
            failed => failed,
        },
    };
    let trouble = ended.err().unwrap_or_else(|| {
        io::Error::new(io::ErrorKind::ConnectionAborted, "the server ended the stream").into()
    });
    // Nobody may be there to hear it.
    let _ = sender.send(Err(trouble)).await;
}

#[cfg(test)]
mod tests {
    use super::{Feed, FeedLimits, Lsn, Stream, Trouble};
    use bytes::BytesMut;
    use std::time::Duration;
    use tokio::io::AsyncWriteExt;
    use tokio::net::UnixStream;

    fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[tag][..], &length, body].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_stops_in_order_has_ended_the_stream_and_said_nothing_odd() {
        let (ours, mut server) = UnixStream::pair().unwrap();
        server.write_all(&packet(b'C', b"COPY 0\0")).await.unwrap();
        let limits = FeedLimits::default();
        let mut feed = Feed::begin(Stream::Socket(ours), BytesMut::new(), Lsn(0), &limits);
        let trouble = feed.next().await.unwrap_err();
        assert!(matches!(trouble, Trouble::Broken(_)), "{trouble}");
    }

    /// The writing half notices the end first, as the reading half waits for the owner.
    #[tokio::test(start_paused = true)]
    async fn why_the_server_went_is_heard_behind_what_was_not_taken_yet() {
        const MESSAGES: usize = 100;
        let message = packet(b'd', &[&b"w"[..], &[0; 24], &[7; 1_000]].concat());
        let (ours, mut server) = UnixStream::pair().unwrap();
        let said = [message.repeat(MESSAGES), packet(b'E', b"C57P01\0Mended\0\0")].concat();
        server.write_all(&said).await.unwrap();
        drop(server);
        let limits = FeedLimits { lump_bytes: 1, ..FeedLimits::default() };
        let mut feed = Feed::begin(Stream::Socket(ours), BytesMut::new(), Lsn(0), &limits);
        // Time stands still until there is nothing left to do but wait.
        tokio::time::sleep(Duration::from_secs(10)).await;
        let mut messages = 0;
        let trouble = loop {
            match feed.next().await {
                Ok(lump) => messages += lump.carried().count(),
                Err(trouble) => break trouble,
            }
        };
        assert!(matches!(trouble, Trouble::Refused(_)), "{trouble}");
        assert_eq!(messages, MESSAGES);
    }
}
