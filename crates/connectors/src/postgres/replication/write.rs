//! The writing half: tells the server how far we are, whatever the reading half waits for.

use super::known::{Known, Told};
use crate::postgres::link::Stream;
use crate::postgres::trouble::Trouble;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, WriteHalf};
use tokio::time::{sleep, timeout};

/// The writing half of a feed.
pub(super) struct Writing<'a> {
    pub(super) to: WriteHalf<Stream>,
    pub(super) known: &'a Known,
    pub(super) every: Duration,
    pub(super) silence: Duration,
}

/// Confirmations that come closer to each other than this go out as one.
const TOGETHER: Duration = Duration::from_millis(10);

impl Writing<'_> {
    /// Writes until the owner has had enough.
    pub(super) async fn run(mut self) -> Result<(), Trouble> {
        loop {
            // Whether there is news or not, the server hears of us.
            let news = timeout(self.every, self.known.changed()).await.is_ok();
            if news && !self.known.is_urgent() {
                sleep(TOGETHER).await;
            }
            let told = self.known.tell();
            let mut bytes = packet(told).to_vec();
            if told.last {
                bytes.extend(DONE);
            }
            // A server that is gone may still leave room for a while.
            match timeout(self.silence, self.write(&bytes)).await {
                Ok(written) => written?,
                Err(_) => {
                    let seconds = self.silence.as_secs_f64();
                    let what = format!("the server took nothing from us for {seconds} s");
                    return Err(Trouble::Silent(what));
                }
            }
            if told.last {
                return Ok(());
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.to.write_all(bytes).await?;
        Ok(self.to.flush().await?)
    }
}

/// Says that we have had enough.
const DONE: [u8; 5] = [b'c', 0, 0, 0, 4];

/// What the server is told, as it wants to read it. Our clock is nothing to decide by, so it is
/// left out.
fn packet(told: Told) -> [u8; 39] {
    let mut packet = [0; 39];
    packet[0] = b'd';
    packet[1..5].copy_from_slice(&38_u32.to_be_bytes());
    packet[5] = b'r';
    packet[6..14].copy_from_slice(&told.received.0.to_be_bytes());
    packet[14..22].copy_from_slice(&told.durable.0.to_be_bytes());
    packet[22..30].copy_from_slice(&told.durable.0.to_be_bytes());
    packet[38] = u8::from(told.answer);
    packet
}

#[cfg(test)]
mod tests {
    use super::{Told, packet};
    use crate::postgres::lsn::Lsn;

    #[test]
    fn what_came_and_what_is_durable_are_told_apart() {
        let told = Told { received: Lsn(9), durable: Lsn(7), answer: true, last: false };
        let packet = packet(told);
        assert_eq!(packet[..6], [b'd', 0, 0, 0, 38, b'r']);
        assert_eq!((packet[13], packet[21], packet[29], packet[38]), (9, 7, 7, 1));
    }
}
