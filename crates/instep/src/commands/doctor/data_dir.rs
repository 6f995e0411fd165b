//! The data directory: whether it can be used, whether an Instep works in it, and what it holds.

use super::check::{Check, Layer};
use super::examine::{Examine, apart};
use super::files::{self, Seen};
use super::processes::{self, Lock};
use crate::config::Config;
use crate::registry;
use async_trait::async_trait;
use model::{Code, Fault};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The data directory.
pub(super) struct DataDir {
    pub(super) config: Arc<Config>,
    pub(super) lock: io::Result<Lock>,
    is_there: bool,
}

impl DataDir {
    /// The one of a configuration, and whether its lock is held.
    pub(super) fn new(config: Arc<Config>, lock: io::Result<Lock>) -> Self {
        Self { config, lock, is_there: false }
    }

    fn path(&self) -> PathBuf {
        self.config.data_dir.clone()
    }
}

/// Where the lock of a data directory is.
pub(super) fn lock_file(config: &Config) -> PathBuf {
    config.data_dir.join("journal").join("lock")
}

#[async_trait]
impl Examine for DataDir {
    fn about(&self) -> (String, String) {
        let about = format!("{}  (journal, state and catalog)", self.path().display());
        ("data_dir".to_owned(), about)
    }

    fn layers(&self) -> &'static [Layer] {
        &[Layer::Name, Layer::Authentication, Layer::Role, Layer::Connect, Layer::Capability]
    }

    async fn look(&mut self, layer: Layer) -> Vec<Check> {
        let path = self.path();
        match layer {
            Layer::Name => {
                let seen = apart(move || (files::seen(&path), path)).await;
                let check = seen.map(|(seen, path)| judge_place(&path, seen));
                let (check, is_there) = check.unwrap_or_else(|| (unanswered(layer), false));
                self.is_there = is_there;
                vec![check]
            }
            Layer::Authentication => {
                let at = if self.is_there { path } else { files::folder_of(&path) };
                let may = apart(move || (files::may_write(&at), at)).await;
                vec![may.map_or_else(|| unanswered(layer), |(may, at)| judge_rights(&at, may))]
            }
            Layer::Role => vec![judge_lock(&self.lock)],
            Layer::Connect => self.catalog().await,
            _ => self.room().await,
        }
    }
}

impl DataDir {
    async fn catalog(&self) -> Vec<Check> {
        let path = registry::catalog_file(&self.config);
        if !self.is_there {
            return Vec::new();
        }
        let tried = "read which servers are pinned";
        let pinned = apart(move || engine::pinned(&path).map(|pinned| pinned.len())).await;
        vec![match pinned {
            None => unanswered(Layer::Connect),
            Some(Ok(0)) => Check::good(Layer::Connect, tried, "none yet"),
            Some(Ok(lanes)) => {
                let found = format!("{lanes} in {}", "catalog.db");
                Check::good(Layer::Connect, tried, found)
            }
            Some(Err(fault)) => Check::fault(Layer::Connect, tried, fault),
        }]
    }

    async fn room(&self) -> Vec<Check> {
        let path = self.path();
        let at = if self.is_there { path.clone() } else { files::folder_of(&path) };
        let max = self.config.journal.journal_bytes_max;
        let room = apart(move || {
            let has = bytes_below(&path.join("journal"), &mut FILES_MAX.clone());
            files::disk_checks(files::disk(&at), &at, max.saturating_sub(has))
        });
        room.await.unwrap_or_else(|| vec![unanswered(Layer::Capability)])
    }
}

/// How many files of the journal are looked at.
const FILES_MAX: usize = 100_000;

fn bytes_below(folder: &Path, files_left: &mut usize) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let mut bytes = 0;
    for entry in entries.flatten() {
        if *files_left == 0 {
            return bytes;
        }
        *files_left -= 1;
        bytes += match entry.metadata() {
            Ok(found) if found.is_dir() => bytes_below(&entry.path(), files_left),
            Ok(found) => found.len(),
            Err(_) => 0,
        };
    }
    bytes
}

fn unanswered(layer: Layer) -> Check {
    Check::not_measured(layer, "look at it", "the look gave no answer")
}

/// The check, and whether the folder is there.
fn judge_place(path: &Path, seen: io::Result<Seen>) -> (Check, bool) {
    let (layer, tried) = (Layer::Name, format!("look for {}", path.display()));
    match seen {
        Ok(seen) if seen.is_folder => {
            (Check::good(layer, tried, format!("it is {}", seen.real.display())), true)
        }
        Ok(_) => {
            let what = format!("{} is no folder", path.display());
            (Check::bad(layer, tried, Code::DataUnusable, what), false)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            (Check::good(layer, tried, "it is not there yet; `instep run` makes it"), false)
        }
        Err(error) => {
            let what = format!("{} can not be looked at: {error}", path.display());
            (Check::bad(layer, tried, Code::DataUnusable, what), false)
        }
    }
}

fn judge_rights(at: &Path, may_write: bool) -> Check {
    let (layer, user) = (Layer::Authentication, files::user());
    let tried = format!("may uid {user} write in {}", at.display());
    match may_write {
        true => Check::good(layer, tried, "yes"),
        false => {
            let what = format!("uid {user} may not write in {}", at.display());
            Check::bad(layer, tried, Code::DataUnusable, what)
        }
    }
}

/// One Instep may work there, and nobody else may hold the lock.
fn judge_lock(lock: &io::Result<Lock>) -> Check {
    let (layer, tried) = (Layer::Role, "ask who works there");
    match lock {
        Ok(Lock::Free) => Check::good(layer, tried, "no Instep runs"),
        Ok(Lock::Held(pid)) if processes::may_be_instep(*pid) => {
            Check::good(layer, tried, format!("an Instep runs: {}", processes::named(*pid)))
        }
        Ok(Lock::Held(pid)) => {
            let what = format!("{} holds its lock, and is no Instep", processes::named(*pid));
            Check::fault(layer, tried, Fault::stop(Code::DataLocked, what))
        }
        Err(error) => Check::not_measured(layer, tried, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn a_lock_is_good_where_nobody_or_an_instep_has_it() {
        assert_eq!(judge_lock(&Ok(Lock::Free)).state, State::Good);
        assert_eq!(judge_lock(&Ok(Lock::Held(None))).state, State::Good);
        let unknown = judge_lock(&Err(ErrorKind::PermissionDenied.into()));
        assert_eq!(unknown.state, State::NotMeasured);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_good_and_anything_else_is_not() {
        let at = Path::new("/d");
        let (check, is_there) = judge_place(at, Err(ErrorKind::NotFound.into()));
        assert_eq!((check.state, is_there), (State::Good, false));
        let (check, _) = judge_place(at, Err(ErrorKind::NotADirectory.into()));
        assert_eq!(check.problem.unwrap().code, Code::DataUnusable);
    }
}
