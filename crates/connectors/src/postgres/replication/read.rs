//! The reading half: takes what comes, and hands it over in lumps.
//!
//! It may wait for whoever takes the lumps, and the server is then told so by nobody reading; the
//! writing half goes on meanwhile. So memory is bounded, and a slow owner is no dead one.

use super::frames::cut;
use super::known::Known;
use super::lump::Lump;
use super::pace::Pace;
use crate::postgres::link::Stream;
use crate::postgres::packet::{HEAD, refused};
use crate::postgres::trouble::Trouble;
use bytes::BytesMut;
use futures_util::FutureExt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, ReadHalf};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, timeout};

/// The reading half of a feed.
pub(super) struct Reading<'a> {
    pub(super) from: ReadHalf<Stream>,
    pub(super) buffer: BytesMut,
    pub(super) pace: Pace,
    pub(super) known: &'a Known,
    pub(super) lumps: Sender<Result<Lump, Trouble>>,
    pub(super) packet_bytes_max: usize,
    pub(super) lump_bytes: usize,
    pub(super) silence: Duration,
}

impl Reading<'_> {
    /// Reads until the server ends the stream, or the owner is gone.
    pub(super) async fn run(mut self) -> Result<(), Trouble> {
        loop {
            let cut = cut(&self.buffer, self.packet_bytes_max)?;
            self.known.received(cut.end);
            if cut.asks {
                self.known.asked();
            }
            if cut.bytes > 0 {
                let lump = Lump::new(self.buffer.split_to(cut.bytes).freeze());
                if self.lumps.send(Ok(lump)).await.is_err() {
                    return Ok(());
                }
            }
            match cut.other {
                Some((b'E', length)) => return Err(refused(&self.buffer[HEAD..length])),
                // The end of the copy; a server that stops says at once that the command is done.
                Some((b'c' | b'C', _)) => return Ok(()),
                // A notice, or a setting that has changed.
                Some((b'N' | b'S', length)) => drop(self.buffer.split_to(length)),
                Some((tag, _)) => {
                    let what = format!("{:?} in a stream of changes", char::from(tag));
                    return Err(Trouble::malformed(what));
                }
                None => self.read().await?,
            }
        }
    }

    /// Waits for bytes, then takes what else is there.
    async fn read(&mut self) -> Result<(), Trouble> {
        let before = self.buffer.len();
        self.wait().await?;
        while self.buffer.len() - before < self.lump_bytes {
            self.make_room();
            match self.from.read_buf(&mut self.buffer).now_or_never() {
                Some(Ok(0)) | None => break,
                Some(read) => {
                    read?;
                }
            }
        }
        if let Some(pause) = self.pace.after(self.buffer.len() - before, Instant::now()) {
            sleep(pause).await;
        }
        Ok(())
    }

    /// Half of the silence that is allowed is waited for in quiet, then the server is asked.
    async fn wait(&mut self) -> Result<(), Trouble> {
        self.make_room();
        for _ in 0..2 {
            match timeout(self.silence / 2, self.from.read_buf(&mut self.buffer)).await {
                Ok(Ok(0)) => {
                    let what = "the server closed the connection";
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what).into());
                }
                Ok(read) => return read.map(|_| ()).map_err(Trouble::from),
                Err(_) => self.known.ask(),
            }
        }
        let seconds = self.silence.as_secs_f64();
        Err(Trouble::Silent(format!("nothing came from the server for {seconds} s")))
    }

    /// A buffer grows with what is there, never with what a length says.
    fn make_room(&mut self) {
        const ROOM: usize = 16 << 10;
        if self.buffer.capacity() - self.buffer.len() < ROOM {
            self.buffer.reserve(self.lump_bytes.max(ROOM));
        }
    }
}
