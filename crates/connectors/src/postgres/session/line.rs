//! PURE: one line of a COPY, its cells between tabs.

use crate::postgres::trouble::Trouble;

/// One row, each cell as the server writes it; none for NULL.
pub type Cells = Vec<Option<String>>;

/// The cells of a line without its end.
pub(super) fn cells(line: &[u8]) -> Result<Cells, Trouble> {
    line.split(|&byte| byte == b'\t').map(cell).collect()
}

fn cell(written: &[u8]) -> Result<Option<String>, Trouble> {
    if written == b"\\N" {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(written.len());
    let mut rest = written.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        let escaped = rest.next().ok_or_else(|| Trouble::malformed("a cell ends in an escape"))?;
        bytes.push(match escaped {
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 0x0b,
            &other => other,
        });
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| Trouble::malformed("a cell is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::cells;

    #[test]
    fn what_is_escaped_is_read_as_it_was() {
        let line = b"a\\tb\t\\N\t\t\\\\N\tx\\ny";
        let text = |text: &str| Some(text.to_owned());
        let read = [text("a\tb"), None, text(""), text("\\N"), text("x\ny")];
        assert_eq!(cells(line).unwrap(), read);
        assert!(cells(b"a\\").is_err());
        assert!(cells(&[0xff]).is_err());
    }
}
