//! PURE: what one packet of a stream carries.

use crate::postgres::lsn::Lsn;
use crate::postgres::trouble::Trouble;

/// What one packet of the stream carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried<'a> {
    /// A message of the plugin that decodes the log.
    Message {
        /// Where it stands in the log.
        start: Lsn,
        /// How far the server's log reached when it was sent.
        end: Lsn,
        /// The server's clock then, in microseconds since 1970.
        sent_at: i64,
        /// The message.
        message: &'a [u8],
    },
    /// The server is there, and has nothing to send that was committed before `end`.
    Alive {
        /// How far it has come.
        end: Lsn,
        /// The server's clock then, in microseconds since 1970.
        sent_at: i64,
        /// Whether it wants an answer, which it gets without its owner's help.
        asks: bool,
    },
}

/// What a packet carries, from its body.
pub(super) fn carried(body: &[u8]) -> Result<Carried<'_>, Trouble> {
    match body.split_first() {
        Some((b'w', rest)) => {
            let (start, rest) = number(rest)?;
            let (end, rest) = number(rest)?;
            let (sent, message) = number(rest)?;
            let sent_at = since_1970(sent);
            // A message has no end of its own; where the log stood when it was sent is no less.
            Ok(Carried::Message { start: Lsn(start), end: Lsn(end.max(start)), sent_at, message })
        }
        Some((b'k', rest)) => {
            let (end, rest) = number(rest)?;
            let (sent, rest) = number(rest)?;
            let [asks] = *rest else {
                return Err(Trouble::malformed("a sign of life is of another length"));
            };
            Ok(Carried::Alive { end: Lsn(end), sent_at: since_1970(sent), asks: asks != 0 })
        }
        Some((other, _)) => {
            let what = format!("{:?} in a stream of changes", char::from(*other));
            Err(Trouble::malformed(what))
        }
        None => Err(Trouble::malformed("an empty packet in a stream of changes")),
    }
}

fn number(bytes: &[u8]) -> Result<(u64, &[u8]), Trouble> {
    let (number, rest) = bytes
        .split_first_chunk()
        .ok_or_else(|| Trouble::malformed("a packet in a stream of changes is cut short"))?;
    Ok((u64::from_be_bytes(*number), rest))
}

/// Microseconds between the beginning of PostgreSQL's time, 2000, and ours.
const EPOCH: i64 = 946_684_800_000_000;

/// Microseconds since 1970 from microseconds since 2000.
fn since_1970(micros: u64) -> i64 {
    i64::from_be_bytes(micros.to_be_bytes()).saturating_add(EPOCH)
}
