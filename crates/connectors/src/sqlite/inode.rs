//! Which file a path names: not the same one any more once another is moved there.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::{fs, io};

/// A file, whatever its path is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Inode {
    device: u64,
    number: u64,
}

impl Inode {
    /// The file that the path names now.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self::said_of(&fs::metadata(path)?))
    }

    /// The file that the system said this of.
    pub(super) fn said_of(found: &Metadata) -> Self {
        Self { device: found.dev(), number: found.ino() }
    }
}
