//! Small file systems of their own, so that a full or read-only disk is one.
//!
//! Mounting takes the right to do so, which containers often lack even for root. Without it a test
//! says that it did not run; where the right is there, a mount that fails is a failure.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A small file system; unmounted when it is dropped.
#[derive(Debug)]
pub(crate) struct Tmpfs(PathBuf);

impl Tmpfs {
    /// Mounts one of so many kilobytes on a directory, which it makes; none where that is not
    /// allowed.
    pub(crate) fn mount(path: &Path, kilobytes: u32) -> Option<Self> {
        if !may_mount() {
            println!("NOT RUN: this user may not mount a file system, which this test needs");
            return None;
        }
        fs::create_dir_all(path).unwrap();
        let size = format!("size={kilobytes}k");
        mount(&["-t", "tmpfs", "-o", &size, "tmpfs"], path);
        Some(Self(path.to_owned()))
    }

    /// Takes all the room that is left.
    pub(crate) fn fill(&self) {
        let mut filler = fs::File::create(self.filler()).unwrap();
        let zeros = vec![0_u8; 1 << 20];
        let mut room = zeros.len();
        while room > 0 {
            // What fits of it stays.
            if filler.write_all(&zeros[..room]).is_err() {
                room /= 2;
            }
        }
    }

    /// Gives the room back.
    pub(crate) fn free(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    /// From now on it may be written, or may not.
    pub(crate) fn set_writable(&self, writable: bool) {
        mount(&["-o", if writable { "remount,rw" } else { "remount,ro" }], &self.0);
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // Lazily: the process may still be on its way out.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Whether the process has the capability that mounting takes, by its number.
fn may_mount() -> bool {
    const SYS_ADMIN: u64 = 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let rights = line.and_then(|line| u64::from_str_radix(line.trim(), 16).ok());
    rights.is_some_and(|rights| rights & (1 << SYS_ADMIN) != 0)
}

fn mount(options: &[&str], path: &Path) {
    let mounted = Command::new("mount").args(options).arg(path).status().unwrap();
    assert!(mounted.success(), "mount {options:?} {}", path.display());
}
