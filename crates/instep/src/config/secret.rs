//! Secrets: text that is never shown, and the files that hold it.

use super::shape::Purpose;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What stands for a secret wherever one would be shown.
pub const MASK: &str = "***";

/// The longest secret.
pub(super) const SECRET_BYTES_MAX: usize = 4_096;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, to compare with or to send.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Why a text is no secret that can be used.
pub(super) struct Flaw {
    /// What is wrong with it, to be read after its name.
    pub(super) what: &'static str,
    /// Why that matters.
    pub(super) why: &'static str,
    /// What to do about it.
    pub(super) fix: &'static str,
}

/// Takes a secret that can be used for this, and is none that was masked.
pub(super) fn usable(text: &str, purpose: Purpose) -> Result<Secret, Flaw> {
    let flaw = |what, why, fix| Err(Flaw { what, why, fix });
    if text.is_empty() {
        let why = "an empty secret keeps nobody out";
        return match purpose {
            Purpose::Header => flaw("is empty", why, "write one that is hard to guess"),
            Purpose::Login => flaw("is empty", "no login takes one", "write it, or remove the key"),
        };
    }
    if text == MASK {
        let why = "`config show` writes that where a secret was";
        return flaw("is a mask", why, "write the secret itself, ${NAME} or { file: PATH }");
    }
    if text.len() > SECRET_BYTES_MAX {
        return flaw("is too long", "more bytes than 4096 are not read", "use a shorter one");
    }
    if purpose == Purpose::Login && text.contains('\0') {
        let what = "holds a zero byte";
        return flaw(what, "it can not be sent to a server", "use another password");
    }
    if purpose == Purpose::Header && !text.chars().all(|c| c.is_ascii_graphic()) {
        let why = "it has to fit into a header, where only plain ASCII without spaces does";
        let what = "holds a character that can not be sent";
        return flaw(what, why, "use letters, digits and marks");
    }
    Ok(Secret(text.to_owned()))
}

/// The text of a file that holds one secret, without the line break at its end.
pub(super) fn read(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(SECRET_BYTES_MAX + 2).unwrap_or(u64::MAX);
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

/// Whether every user of the machine may read a file.
pub(super) fn is_readable_by_all(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).is_ok_and(|found| found.mode() & 0o004 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        false
    }
}
