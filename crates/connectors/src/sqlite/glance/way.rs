//! PURE: how a file is opened such that SQLite makes no file beside it.
//!
//! A file with a write-ahead log is read with the log's index in shared memory, which SQLite makes
//! where it is missing, even for somebody who only reads. So the index is opened for reading, too;
//! and a file whose log is not there is nobody's at this moment, and read as one that stands still.

use std::path::{Path, PathBuf};

/// How a file can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It has no write-ahead log: a rollback journal keeps what a writer may take back.
    Plain,
    /// Its write-ahead log is in use.
    WithLog,
    /// It has a write-ahead log that is in use by nobody.
    Still,
}

/// Why a file can not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is no database.
    NoDatabase,
    /// Its log is there without the log's index, which only a writer may make.
    NoIndex,
}

/// What every database begins with.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// How many bytes of a file tell how it is read.
pub(super) const HEADER_BYTES: usize = 20;

/// How a file is read that begins so, and beside which a log of this length and an index stand.
pub(super) fn way(header: &[u8], log_bytes: u64, has_index: bool) -> Result<Way, Unreadable> {
    // An empty file is an empty database.
    if header.is_empty() {
        return Ok(Way::Plain);
    }
    if !header.starts_with(MAGIC) || header.len() < HEADER_BYTES {
        return Err(Unreadable::NoDatabase);
    }
    match (header[19], log_bytes) {
        (2, 0) => Ok(Way::Still),
        (2, _) if has_index => Ok(Way::WithLog),
        (2, _) => Err(Unreadable::NoIndex),
        _ => Ok(Way::Plain),
    }
}

/// The file that SQLite keeps beside another one.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// The address under which SQLite opens the file in this way.
pub(super) fn address(path: &Path, way: Way) -> String {
    let mut address = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                address.push(char::from(*byte));
            }
            byte => address.push_str(&format!("%{byte:02x}")),
        }
    }
    address.push_str(match way {
        // One without a log may have one a moment later.
        Way::Plain | Way::WithLog => "?mode=ro&readonly_shm=1",
        Way::Still => "?mode=ro&immutable=1",
    });
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: u8) -> Vec<u8> {
        [MAGIC, &[16, 0, version, version]].concat()
    }

    #[test]
    fn a_file_with_a_log_is_never_opened_such_that_an_index_is_made() {
        assert_eq!(way(&header(1), 0, false), Ok(Way::Plain));
        assert_eq!(way(&header(2), 0, false), Ok(Way::Still));
        assert_eq!(way(&header(2), 0, true), Ok(Way::Still));
        assert_eq!(way(&header(2), 4096, true), Ok(Way::WithLog));
        assert_eq!(way(&header(2), 4096, false), Err(Unreadable::NoIndex));
    }

    #[test]
    fn what_begins_otherwise_is_no_database_unless_it_is_empty() {
        assert_eq!(way(b"", 0, false), Ok(Way::Plain));
        for other in [&b"PK\x03\x04"[..], b"SQLite format 3\0", b"SQLite format 2\0abcdefgh"] {
            assert_eq!(way(other, 0, false), Err(Unreadable::NoDatabase));
        }
    }

    #[test]
    fn an_address_holds_any_path() {
        let path = Path::new("/a b/ü?#%.db");
        let written = address(path, Way::Plain);
        assert_eq!(written, "file:/a%20b/%c3%bc%3f%23%25.db?mode=ro&readonly_shm=1");
    }
}
