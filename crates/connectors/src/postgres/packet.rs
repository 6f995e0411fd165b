//! PURE: what a server sends, one packet at a time: a letter, a length, and a body.

use super::trouble::{Refused, Trouble};

/// The bytes before a body: its letter and its length.
pub(super) const HEAD: usize = 5;

/// The letter and the whole length of the packet that begins here, once its head is there.
pub(super) fn head(bytes: &[u8], bytes_max: usize) -> Result<Option<(u8, usize)>, Trouble> {
    let Some(&[tag, a, b, c, d]) = bytes.first_chunk() else {
        return Ok(None);
    };
    // The length counts itself, but not the letter.
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    match length {
        0..4 => Err(Trouble::malformed("a packet is shorter than its own length")),
        length if length > bytes_max => Err(Trouble::malformed(format!(
            "a packet of {length} bytes, where {bytes_max} are allowed"
        ))),
        length => Ok(Some((tag, length + 1))),
    }
}

/// The reasons in the body of an error.
pub(super) fn refused(body: &[u8]) -> Trouble {
    let mut refused = Refused::default();
    for field in body.split(|&byte| byte == 0) {
        let Some((&kind, text)) = field.split_first() else { continue };
        let text = String::from_utf8_lossy(text).into_owned();
        match kind {
            b'C' => refused.sqlstate = text,
            b'M' => refused.message = text,
            b'D' => refused.detail = Some(text),
            b'H' => refused.hint = Some(text),
            b't' => refused.table = Some(text),
            b'c' => refused.column = Some(text),
            b'n' => refused.constraint = Some(text),
            _ => {}
        }
    }
    Trouble::Refused(Box::new(refused))
}

/// The cells of a row of text.
pub(super) fn cells(body: &[u8]) -> Result<Vec<Option<String>>, Trouble> {
    let mut rest = body.get(2..).ok_or_else(cut_short)?;
    let mut cells = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        rest = after;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            cells.push(None);
            continue;
        };
        let (cell, after) = rest.split_at_checked(length).ok_or_else(cut_short)?;
        cells.push(Some(String::from_utf8_lossy(cell).into_owned()));
        rest = after;
    }
    if rest.is_empty() { Ok(cells) } else { Err(cut_short()) }
}

fn cut_short() -> Trouble {
    Trouble::malformed("a row ends in the middle of a cell")
}

#[cfg(test)]
mod tests {
    use super::{cells, head, refused};

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        assert_eq!(head(b"Z\0\0\0", 100).unwrap(), None);
        assert_eq!(head(b"Z\0\0\0\x05I", 100).unwrap(), Some((b'Z', 6)));
        assert!(head(b"Z\0\0\0\x03", 100).is_err());
        assert!(head(b"Z\xff\xff\xff\xff", 100).unwrap_err().to_string().contains("4294967295"));
    }

    #[test]
    fn an_error_keeps_its_code_and_its_words() {
        let trouble = refused(b"SERROR\0C42P01\0Mno table\0Hmake it\0tquestions\0\0");
        let refused = trouble.refused().unwrap();
        assert_eq!((&*refused.sqlstate, &*refused.message), ("42P01", "no table"));
        assert_eq!(refused.table.as_deref(), Some("questions"));
        assert_eq!(trouble.to_string(), "no table (42P01); make it");
    }

    #[test]
    fn cells_are_whole_or_refused() {
        let row = b"\0\x02\0\0\0\x01a\xff\xff\xff\xff";
        assert_eq!(cells(row).unwrap(), [Some("a".to_owned()), None]);
        for end in [1, 3, 5, 6, 8] {
            assert!(cells(&row[..end]).is_err(), "cut at {end}");
        }
    }
}
