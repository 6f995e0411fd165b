//! The cells of one row, as they stand in a message.

use super::cursor::Cursor;
use super::malformed::Malformed;
use std::fmt;

/// A row. It was walked once when it was read, so walking it again finds every cell.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tuple<'a> {
    columns: u16,
    bytes: &'a [u8],
}

/// One cell of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datum<'a> {
    /// NULL; in a key that was, a column that is none of the key's.
    Null,
    /// A large value that is as it was, and did not come.
    Unchanged,
    /// As the type writes it.
    Text(&'a [u8]),
    /// As the type sends it in binary, where that was asked for.
    Binary(&'a [u8]),
}

impl<'a> Tuple<'a> {
    /// Reads a row, every cell of it.
    pub(super) fn read(cursor: &mut Cursor<'a>) -> Result<Self, Malformed> {
        let columns = cursor.u16()?;
        let bytes = cursor.rest();
        for _ in 0..columns {
            datum(cursor)?;
        }
        let length = bytes.len() - cursor.rest().len();
        Ok(Self { columns, bytes: &bytes[..length] })
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.columns.into()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.columns == 0
    }

    /// The cells, in the order of the table's columns.
    pub fn cells(&self) -> impl Iterator<Item = Datum<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.bytes);
        (0..self.columns).map_while(move |_| datum(&mut cursor).ok())
    }
}

impl fmt::Debug for Tuple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.cells()).finish()
    }
}

fn datum<'a>(cursor: &mut Cursor<'a>) -> Result<Datum<'a>, Malformed> {
    match cursor.byte()? {
        b'n' => Ok(Datum::Null),
        b'u' => Ok(Datum::Unchanged),
        b't' => cursor.counted().map(Datum::Text),
        b'b' => cursor.counted().map(Datum::Binary),
        other => Err(Malformed::new(format!("a cell of kind {:?}", char::from(other)))),
    }
}
