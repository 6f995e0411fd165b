//! Replication: a connection that follows a slot, and what has to be asked on it before.
//!
//! ```text
//!   command    the words of a start, as the server's version takes them
//!   feed       what comes, in lumps, and what is confirmed
//!     └─ read  write        the two halves, neither of which waits for the other
//!          └─ frames  carried  pace  known    whole packets, and what one carries; when to read;
//!                                            what each half knows
//! ```

mod carried;
mod command;
mod feed;
mod frames;
mod known;
mod lump;
mod pace;
mod read;
mod write;

use super::access::{Access, Server};
use super::link::dial;
use super::login::{Parameters, login};
use super::lsn::Lsn;
use super::packet;
use super::quote;
use super::tries::{Standing, Tries, will_do};
use super::trouble::Trouble;
use super::wire::Wire;
use bytes::BytesMut;
pub use carried::Carried;
pub use command::Follow;
pub use feed::{Feed, FeedLimits};
pub use lump::{Lump, Lumped};
use postgres_protocol::message::frontend;
use tokio::time::timeout;

/// A connection on which replication commands and simple queries can be given.
#[derive(Debug)]
pub struct Replication {
    wire: Wire,
    parameters: Parameters,
}

/// Who a server says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The number that a cluster gets when it is made, and keeps on every standby.
    pub system: u64,
    /// Rises whenever a standby is promoted.
    pub timeline: u32,
    /// How far its write-ahead log is on disk.
    pub flushed: Lsn,
}

/// A slot that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What is committed after this comes through the slot.
    pub consistent: Lsn,
    /// The snapshot that holds exactly what was committed before; good until the next command.
    pub snapshot: Option<String>,
}

impl Replication {
    /// Connects to the first server that will do.
    pub async fn connect(access: &Access) -> Result<Self, Trouble> {
        let mut tries = Tries::of(access);
        while let Some((server, role)) = tries.next() {
            let tried = timeout(access.connect_timeout, Self::log_in(access, server)).await;
            match tried.unwrap_or_else(|_| Err(too_slow(access))) {
                Ok(it) if will_do(role, Standing::read(|name| it.parameter(name))) => {
                    return Ok(it);
                }
                Ok(_) => {}
                Err(trouble) => tries.failed(server, trouble),
            }
        }
        Err(tries.into_trouble())
    }

    async fn log_in(access: &Access, server: &Server) -> Result<Self, Trouble> {
        let (wire, parameters) = login(dial(access, server).await?, access).await?;
        Ok(Self { wire, parameters })
    }

    /// What the server said about itself when we logged in.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The version as a number such as `150020`; zero where it cannot be told.
    pub fn version(&self) -> u32 {
        version(self.parameter("server_version").unwrap_or_default())
    }

    /// Whether others on the way cannot read the connection.
    pub fn is_encrypted(&self) -> bool {
        self.wire.stream().is_encrypted()
    }

    /// The rows of a simple query or a replication command, as text.
    pub async fn query(&mut self, statement: &str) -> Result<Vec<Vec<Option<String>>>, Trouble> {
        self.give(statement).await?;
        let (mut rows, mut failed) = (Vec::new(), None);
        loop {
            match self.wire.next().await {
                Ok(it) if it.tag == b'D' => rows.push(packet::cells(it.body())?),
                Ok(it) if it.tag == b'Z' => return failed.map_or(Ok(rows), Err),
                Ok(it) if b"TCIS".contains(&it.tag) => {}
                Ok(it) => return Err(unexpected(it.tag)),
                // The connection stays of use: the server says so after an error.
                Err(trouble @ Trouble::Refused(_)) if failed.is_none() => failed = Some(trouble),
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// Who the server is, and how far it has come.
    pub async fn identify(&mut self) -> Result<Identified, Trouble> {
        let rows = self.query("IDENTIFY_SYSTEM").await?;
        let cell = |at: usize| rows.first()?.get(at)?.as_deref();
        let read = || {
            Some(Identified {
                system: cell(0)?.parse().ok()?,
                timeline: cell(1)?.parse().ok()?,
                flushed: cell(2)?.parse().ok()?,
            })
        };
        read().ok_or_else(|| Trouble::malformed("the server cannot say who it is"))
    }

    /// Makes a slot. The server waits for the transactions that run now, so its caller bounds
    /// the time.
    pub async fn create_slot(
        &mut self,
        slot: &str,
        temporary: bool,
        export: bool,
    ) -> Result<Slot, Trouble> {
        let temporary = if temporary { " TEMPORARY" } else { "" };
        let export = if export { "EXPORT_SNAPSHOT" } else { "NOEXPORT_SNAPSHOT" };
        let slot = quote::name(slot);
        let command =
            format!("CREATE_REPLICATION_SLOT {slot}{temporary} LOGICAL pgoutput {export}");
        let rows = self.query(&command).await?;
        let cell = |at: usize| rows.first()?.get(at)?.as_deref();
        let consistent = cell(1).and_then(|text| text.parse().ok());
        let consistent = consistent.ok_or_else(|| Trouble::malformed("a new slot has no place"))?;
        Ok(Slot { consistent, snapshot: cell(2).map(str::to_owned) })
    }

    /// Drops a slot, once nobody follows it any more.
    pub async fn drop_slot(&mut self, slot: &str) -> Result<(), Trouble> {
        let command = format!("DROP_REPLICATION_SLOT {} WAIT", quote::name(slot));
        self.query(&command).await.map(drop)
    }

    /// Begins to follow a slot. Nothing at or before `after` comes; if the slot was confirmed
    /// further than that, the server begins there without a word, so look before.
    pub async fn follow(mut self, follow: &Follow, limits: &FeedLimits) -> Result<Feed, Trouble> {
        let command = command::start(follow, self.version());
        self.give(&command).await?;
        match self.wire.next().await? {
            it if it.tag == b'W' => {}
            it => return Err(unexpected(it.tag)),
        }
        let (stream, read) = self.wire.into_parts();
        Ok(Feed::begin(stream, read, follow.after, limits))
    }

    async fn give(&mut self, statement: &str) -> Result<(), Trouble> {
        let mut out = BytesMut::new();
        frontend::query(statement, &mut out)?;
        self.wire.send(&out).await
    }
}

fn too_slow(access: &Access) -> Trouble {
    let seconds = access.connect_timeout.as_secs();
    Trouble::Silent(format!("no connection within {seconds} s (connect_timeout)"))
}

fn unexpected(tag: u8) -> Trouble {
    Trouble::malformed(format!("{:?} where no such packet can come", char::from(tag)))
}

/// `15.20 (Debian 15.20-0)` is 150020, `17beta1` is 170000.
fn version(text: &str) -> u32 {
    let number = text.split(' ').next().unwrap_or_default();
    let mut parts = number.split('.').map(|part| {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..end].parse::<u32>().unwrap_or(0)
    });
    let mut next = || parts.next().unwrap_or(0).min(9_999);
    next() * 10_000 + next()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn a_version_is_a_number() {
        for (text, number) in
            [("15.20 (Debian 15.20-0+deb12u1)", 150_020), ("17beta1", 170_000), ("", 0)]
        {
            assert_eq!(version(text), number);
        }
    }
}
