//! Packets over a connection, one asked and one answered; not for the stream of changes.

use super::link::Stream;
use super::packet::{HEAD, head, refused};
use super::trouble::Trouble;
use bytes::{Bytes, BytesMut};
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A connection and what was read from it beyond the last packet.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    read: BytesMut,
}

/// One packet from the server.
#[derive(Debug)]
pub(super) struct Packet {
    /// Which kind it is.
    pub(super) tag: u8,
    /// Letter, length and body.
    pub(super) whole: Bytes,
}

/// No answer to what is asked here is longer.
const PACKET_BYTES_MAX: usize = 16 << 20;

impl Wire {
    /// Over a connection on which nothing was said yet.
    pub(super) fn new(stream: Stream) -> Self {
        Self { stream, read: BytesMut::new() }
    }

    /// The connection underneath.
    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The connection, and what was read from it already.
    pub(super) fn into_parts(self) -> (Stream, BytesMut) {
        (self.stream, self.read)
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.stream.write_all(bytes).await?;
        Ok(self.stream.flush().await?)
    }

    /// The next packet; an error is one of ours, a notice is passed over.
    pub(super) async fn next(&mut self) -> Result<Packet, Trouble> {
        loop {
            let packet = self.any().await?;
            match packet.tag {
                b'E' => return Err(refused(packet.body())),
                b'N' => {}
                _ => return Ok(packet),
            }
        }
    }

    async fn any(&mut self) -> Result<Packet, Trouble> {
        loop {
            if let Some((tag, length)) = head(&self.read, PACKET_BYTES_MAX)?
                && self.read.len() >= length
            {
                return Ok(Packet { tag, whole: self.read.split_to(length).freeze() });
            }
            self.read.reserve(8 << 10);
            if self.stream.read_buf(&mut self.read).await? == 0 {
                let what = "the server closed the connection";
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what).into());
            }
        }
    }
}

impl Packet {
    /// What is behind letter and length.
    pub(super) fn body(&self) -> &[u8] {
        &self.whole[HEAD..]
    }
}
