//! PURE: bytes to messages.
//!
//! Inside a block of a transaction that is still open, messages carry one number more, so it has to
//! be known whether a block is open.

use super::cursor::Cursor;
use super::malformed::Malformed;
use super::message::{Before, Column, Ended, Message, Prepared, Relation, ReplicaIdentity};
use super::tuple::Tuple;

/// Reads the messages of one stream, in their order.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    /// The transaction whose block is open.
    block: Option<u32>,
}

impl Decoder {
    /// Of a stream that begins.
    pub fn new() -> Self {
        Self::default()
    }

    /// The transaction whose block is open.
    pub fn block(&self) -> Option<u32> {
        self.block
    }

    /// Reads one message, all of it.
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        let cursor = &mut Cursor::new(bytes);
        let kind = cursor.byte()?;
        let message = self.message(kind, cursor)?;
        cursor.end()?;
        match &message {
            Message::StreamStart { transaction, .. } => self.block = Some(*transaction),
            Message::StreamStop => self.block = None,
            _ => {}
        }
        Ok(message)
    }

    fn message<'a>(&self, kind: u8, cursor: &mut Cursor<'a>) -> Result<Message<'a>, Malformed> {
        match (kind, self.block) {
            (b'M' | b'R' | b'Y' | b'I' | b'U' | b'D' | b'T', block) => {
                let sub = block.map(|_| cursor.u32()).transpose()?;
                inside(kind, sub, cursor)
            }
            (b'E', Some(_)) => Ok(Message::StreamStop),
            (b'E', None) => Err(Malformed::new("a block ends that did not begin")),
            (_, Some(_)) => {
                let what = format!("{:?} inside a block", char::from(kind));
                Err(Malformed::new(what))
            }
            (_, None) => between(kind, cursor),
        }
    }
}

/// Messages that stand inside of transactions.
fn inside<'a>(
    kind: u8,
    sub: Option<u32>,
    cursor: &mut Cursor<'a>,
) -> Result<Message<'a>, Malformed> {
    Ok(match kind {
        b'R' => Message::Relation { sub, relation: relation(cursor)? },
        b'Y' => {
            Message::Type { sub, oid: cursor.u32()?, schema: cursor.text()?, name: cursor.text()? }
        }
        b'I' => {
            let relation = cursor.u32()?;
            expect(cursor, b'N')?;
            Message::Insert { sub, relation, new: Tuple::read(cursor)? }
        }
        b'U' => {
            let relation = cursor.u32()?;
            let (before, kind) = match cursor.byte()? {
                kind @ (b'K' | b'O') => (Some(before(kind, cursor)?), cursor.byte()?),
                kind => (None, kind),
            };
            if kind != b'N' {
                return Err(Malformed::new("an update has no row"));
            }
            Message::Update { sub, relation, before, new: Tuple::read(cursor)? }
        }
        b'D' => {
            let relation = cursor.u32()?;
            let kind = cursor.byte()?;
            Message::Delete { sub, relation, before: before(kind, cursor)? }
        }
        b'T' => {
            let count = cursor.u32()?;
            let flags = cursor.byte()?;
            // Never made room for before they are there.
            let relations = (0..count).map(|_| cursor.u32()).collect::<Result<Vec<_>, _>>()?;
            Message::Truncate { sub, relations, cascade: flags & 1 != 0, restart: flags & 2 != 0 }
        }
        _ => Message::Logical {
            sub,
            transactional: cursor.byte()? & 1 != 0,
            at: cursor.lsn()?,
            prefix: cursor.text()?,
            content: cursor.counted()?,
        },
    })
}

/// Messages that stand between blocks, and around transactions.
fn between<'a>(kind: u8, cursor: &mut Cursor<'a>) -> Result<Message<'a>, Malformed> {
    Ok(match kind {
        b'B' => Message::Begin {
            commit: cursor.lsn()?,
            committed_at: cursor.time()?,
            transaction: cursor.u32()?,
        },
        b'C' => Message::Commit(ended(cursor)?),
        b'O' => Message::From { commit: cursor.lsn()?, name: cursor.text()? },
        b'S' => Message::StreamStart { transaction: cursor.u32()?, first: cursor.byte()? != 0 },
        b'c' => Message::StreamCommit { transaction: cursor.u32()?, ended: ended(cursor)? },
        b'A' => Message::StreamAbort { transaction: cursor.u32()?, sub: cursor.u32()? },
        b'b' => Message::BeginPrepare(prepared(cursor)?),
        b'P' => Message::Prepare(flagged(cursor)?),
        b'K' => Message::CommitPrepared(flagged(cursor)?),
        b'p' => Message::StreamPrepare(flagged(cursor)?),
        b'r' => {
            expect(cursor, 0)?;
            Message::RollbackPrepared {
                prepared_end: cursor.lsn()?,
                end: cursor.lsn()?,
                prepared_at: cursor.time()?,
                rolled_back_at: cursor.time()?,
                transaction: cursor.u32()?,
                name: cursor.text()?,
            }
        }
        other => {
            return Err(Malformed::new(format!("a message of kind {:?}", char::from(other))));
        }
    })
}

fn before<'a>(kind: u8, cursor: &mut Cursor<'a>) -> Result<Before<'a>, Malformed> {
    match kind {
        b'K' => Tuple::read(cursor).map(Before::Key),
        b'O' => Tuple::read(cursor).map(Before::Row),
        _ => Err(Malformed::new("a row that was is neither a key nor a whole row")),
    }
}

fn ended(cursor: &mut Cursor<'_>) -> Result<Ended, Malformed> {
    expect(cursor, 0)?;
    Ok(Ended { commit: cursor.lsn()?, end: cursor.lsn()?, committed_at: cursor.time()? })
}

fn flagged<'a>(cursor: &mut Cursor<'a>) -> Result<Prepared<'a>, Malformed> {
    expect(cursor, 0)?;
    prepared(cursor)
}

fn prepared<'a>(cursor: &mut Cursor<'a>) -> Result<Prepared<'a>, Malformed> {
    Ok(Prepared {
        at: cursor.lsn()?,
        end: cursor.lsn()?,
        time: cursor.time()?,
        transaction: cursor.u32()?,
        name: cursor.text()?,
    })
}

fn relation<'a>(cursor: &mut Cursor<'a>) -> Result<Relation<'a>, Malformed> {
    let (oid, schema, name) = (cursor.u32()?, cursor.text()?, cursor.text()?);
    let identity = match cursor.byte()? {
        b'd' => ReplicaIdentity::Default,
        b'n' => ReplicaIdentity::Nothing,
        b'f' => ReplicaIdentity::Full,
        b'i' => ReplicaIdentity::Index,
        other => {
            let what = format!("a replica identity of kind {:?}", char::from(other));
            return Err(Malformed::new(what));
        }
    };
    let count = cursor.u16()?;
    let mut column = || {
        Ok(Column {
            in_key: cursor.byte()? & 1 != 0,
            name: cursor.text()?,
            kind: cursor.u32()?,
            modifier: cursor.i32()?,
        })
    };
    let columns = (0..count).map(|_| column()).collect::<Result<Vec<_>, Malformed>>()?;
    Ok(Relation { oid, schema, name, identity, columns })
}

fn expect(cursor: &mut Cursor<'_>, byte: u8) -> Result<(), Malformed> {
    match cursor.byte()? {
        found if found == byte => Ok(()),
        found => Err(Malformed::new(format!("the byte {found} where {byte} has to stand"))),
    }
}

#[cfg(test)]
mod tests;
