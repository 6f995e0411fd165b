//! Files and disks, looked at without changing them.

use super::check::{Check, Layer};
use crate::problem::Problem;
use model::Code;
use rustix::fs::{Access, access, statfs};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Where it is, behind every link.
    pub(super) real: PathBuf,
    pub(super) is_folder: bool,
    pub(super) bytes: u64,
    pub(super) owner: u32,
    /// The rights of owner, group and others.
    pub(super) mode: u32,
}

/// What stands at a path, behind every link.
pub(super) fn seen(path: &Path) -> io::Result<Seen> {
    let found = fs::metadata(path)?;
    let real = path.canonicalize()?;
    let (is_folder, bytes) = (found.is_dir(), found.len());
    Ok(Seen { real, is_folder, bytes, owner: found.uid(), mode: found.mode() & 0o7777 })
}

/// Whether this process may read it.
pub(super) fn may_read(path: &Path) -> bool {
    access(path, Access::READ_OK).is_ok()
}

/// Whether this process may write to it: also not where its disk may only be read.
pub(super) fn may_write(path: &Path) -> bool {
    access(path, Access::WRITE_OK).is_ok()
}

/// Who looks.
pub(super) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The nearest folder above that is there.
pub(super) fn folder_of(path: &Path) -> PathBuf {
    let above = path.ancestors().skip(1).find(|it| it.is_dir());
    above.map_or_else(|| PathBuf::from("/"), Path::to_owned)
}

/// A disk, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    pub(super) free_bytes: u64,
    /// The kind of file system, if it is one of another machine.
    pub(super) network: Option<&'static str>,
}

/// The disk that a file or folder stands on.
pub(super) fn disk(path: &Path) -> io::Result<Disk> {
    let found = statfs(path)?;
    let block = u64::try_from(found.f_bsize).unwrap_or(1);
    #[cfg(target_os = "linux")]
    let network = u32::try_from(found.f_type & 0xffff_ffff).ok().and_then(network);
    #[cfg(not(target_os = "linux"))]
    let network = None;
    Ok(Disk { free_bytes: found.f_bavail.saturating_mul(block), network })
}

/// The names of file systems whose files are another machine's, by the number that Linux gives them.
#[cfg(any(target_os = "linux", test))]
fn network(number: u32) -> Option<&'static str> {
    const KINDS: [(u32, &str); 9] = [
        (0x6969, "NFS"),
        (0x517b, "SMB"),
        (0xff53_4d42, "CIFS"),
        (0xfe53_4d42, "SMB"),
        (0x0102_1997, "9P"),
        (0x00c3_6400, "Ceph"),
        (0x5346_414f, "AFS"),
        (0x7375_7245, "Coda"),
        (0x0bd0_0bd0, "Lustre"),
    ];
    KINDS.iter().find(|(kind, _)| *kind == number).map(|(_, name)| *name)
}

/// What a disk means for files that may grow by so many bytes.
pub(super) fn disk_checks(disk: io::Result<Disk>, at: &Path, growth_bytes: u64) -> Vec<Check> {
    let layer = Layer::Capability;
    let tried = format!("ask for the room at {}", at.display());
    let disk = match disk {
        Ok(disk) => disk,
        Err(error) => return vec![Check::not_measured(layer, tried, error.to_string())],
    };
    let free = shown(disk.free_bytes);
    let mut checks = vec![match disk.free_bytes < growth_bytes {
        false => Check::good(layer, tried, format!("{free} are free")),
        true => {
            let what = format!("{free} are free, and it may grow by {}", shown(growth_bytes));
            Check::bad(layer, tried, Code::DiskLow, what)
        }
    }];
    checks.extend(disk.network.map(|kind| {
        let what = format!("{} is on a network file system ({kind})", at.display());
        let problem = Problem::of(Code::DiskNetwork, what);
        Check::problem(layer, "ask for the kind of disk", problem)
    }));
    checks
}

/// A number of bytes as people read it.
pub(super) fn shown(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    fn states(disk: io::Result<Disk>) -> Vec<State> {
        let checks = disk_checks(disk, Path::new("/data"), 1 << 20);
        checks.iter().map(|check| check.state).collect()
    }

    #[test]
    fn a_disk_with_little_room_or_of_another_machine_is_warned_of() {
        let disk = |free_bytes, number| Ok(Disk { free_bytes, network: network(number) });
        assert_eq!(states(disk(1 << 20, 0xef53)), [State::Good]);
        assert_eq!(states(disk((1 << 20) - 1, 0xef53)), [State::Warning]);
        assert_eq!(states(disk(1 << 30, 0x6969)), [State::Good, State::Warning]);
        assert_eq!(states(Err(io::ErrorKind::NotFound.into())), [State::NotMeasured]);
    }

    #[test]
    fn bytes_are_shown_in_the_largest_unit_that_fits() {
        assert_eq!(shown(1023), "1023 bytes");
        assert_eq!(shown(1536), "1.5 KiB");
        assert_eq!(shown(10 << 30), "10.0 GiB");
    }
}
