//! Other processes: who holds a lock and who listens, as far as the system tells it. Where it does
//! not, as on systems without /proc, nobody is named.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether a process holds a file locked as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lock {
    Free,
    /// By this process, if the system tells it.
    Held(Option<u32>),
}

/// Whether a process holds the file locked. Taking the lock to see whether it is free could keep a
/// process from starting that starts just now; so the system is asked first, and only where it knows
/// of no lock the file is locked for a moment, and shared.
pub(super) fn lock(path: &Path) -> io::Result<Lock> {
    let found = match fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Lock::Free),
        Err(error) => return Err(error),
    };
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    if let Some(pid) = locker(&locks, found.ino()) {
        return Ok(Lock::Held(Some(pid)));
    }
    match File::open(path)?.try_lock_shared() {
        Ok(()) => Ok(Lock::Free),
        Err(TryLockError::WouldBlock) => Ok(Lock::Held(None)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Who holds the file of this number locked as a whole, by what /proc/locks says.
fn locker(locks: &str, file: u64) -> Option<u32> {
    locks.lines().find_map(|line| {
        // `1: FLOCK  ADVISORY  WRITE 4711 08:01:123456 0 EOF`
        let mut words = line.split_whitespace().skip(1);
        let (kind, how, pid) = (words.next()?, words.nth(1)?, words.next()?);
        let number = words.next()?.rsplit(':').next()?;
        let is_it = kind == "FLOCK" && how == "WRITE" && number.parse() == Ok(file);
        is_it.then(|| pid.parse().ok())?
    })
}

/// Who listens at an address.
pub(super) fn listener(address: SocketAddr) -> Option<u32> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let tables = tables.map(|table| fs::read_to_string(table).unwrap_or_default());
    let socket = tables.iter().find_map(|table| listening(table, address.port()))?;
    let link = format!("socket:[{socket}]");
    let processes = fs::read_dir("/proc").ok()?.flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.take(PROCESSES_MAX).find(|pid| has_open(*pid, &link))
}

/// How many processes are asked what they have open.
const PROCESSES_MAX: usize = 50_000;

fn has_open(pid: u32, link: &str) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|it| fs::read_link(it.path()).is_ok_and(|to| to == Path::new(link)))
}

/// The number of the socket that listens on a port, by what /proc/net/tcp says.
fn listening(table: &str, port: u16) -> Option<u64> {
    const LISTENS: &str = "0A";
    table.lines().skip(1).find_map(|line| {
        // `0: 0100007F:1C03 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 1234 ...`
        let words: Vec<&str> = line.split_whitespace().collect();
        let (_, found) = words.get(1)?.rsplit_once(':')?;
        let is_it = u16::from_str_radix(found, 16) == Ok(port) && words.get(3) == Some(&LISTENS);
        is_it.then(|| words.get(9)?.parse().ok())?
    })
}

/// A process as people know it.
pub(super) fn named(pid: Option<u32>) -> String {
    match (pid, pid.and_then(command)) {
        (None, _) => "a process that the system does not name".to_owned(),
        (Some(pid), None) => format!("process {pid}"),
        (Some(pid), Some(command)) => format!("process {pid} ({command})"),
    }
}

/// Whether a process is an Instep; one that nobody can name may be.
pub(super) fn may_be_instep(pid: Option<u32>) -> bool {
    pid.and_then(command).is_none_or(|command| command.starts_with("instep"))
}

fn command(pid: u32) -> Option<String> {
    let command = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(command.trim_end().to_owned())
}

/// Whether this process is in a container, and why we think so.
pub(super) fn container() -> Option<&'static str> {
    ["/.dockerenv", "/run/.containerenv"].into_iter().find(|it| Path::new(it).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_locks_a_file_is_read_from_the_list_of_locks() {
        let locks = "1: POSIX  ADVISORY  WRITE 11 fd:01:77 1073741826 1073742335\n\
                     2: FLOCK  ADVISORY  READ  12 fd:01:77 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 14 fd:01:78 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 13 fd:01:77 0 EOF\nnonsense\n";
        assert_eq!(locker(locks, 77), Some(13));
        assert_eq!(locker(locks, 78), None, "who only waits for a lock does not have it");
        assert_eq!(locker("", 77), None);
    }

    #[test]
    fn who_listens_is_read_from_the_list_of_sockets() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n\
            0: 0100007F:1C03 0100007F:9999 01 00000000:00000000 00:00000000 00000000 0 0 55 1\n\
            1: 0100007F:1C03 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 66 1\n";
        assert_eq!(listening(table, 0x1c03), Some(66));
        assert_eq!(listening(table, 0x9999), None);
        assert_eq!(listening("", 1), None);
    }
}
