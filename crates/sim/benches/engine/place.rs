//! Where a bench works: folders of its own on the real disk, and what an instance keeps there.

use engine::{Catalog, Pipeline, Stop};
use instep_sim::keep::{Notes, NotesOf};
use instep_sim::mount::Mount;
use journal::{Journal, Options, RealDisk, Threads};
use model::Log;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use testkit::disk::FaultyDisk;
use tokio::task::JoinHandle;

/// An empty folder.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or("target".into(), PathBuf::from);
    let dir = target.join("bench").join(name);
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder of our own");
    dir
}

/// The journal in this folder.
pub(crate) fn open(dir: &Path) -> Arc<dyn Log> {
    let journal = Journal::open(Arc::new(RealDisk), dir, Options::default(), Arc::new(Threads));
    Arc::new(journal.expect("the journal opens"))
}

/// An empty catalog.
pub(crate) fn catalog() -> Arc<dyn Catalog> {
    NotesOf::new(Arc::new(Notes::default()), Mount::new(Arc::new(FaultyDisk::new())))
}

/// Starts the work; it ends when the stop is asked for.
pub(crate) fn start(pipeline: &Pipeline) -> (Stop, JoinHandle<()>) {
    let stop = Stop::new();
    let work = tokio::spawn(pipeline.clone().run(stop.clone()));
    (stop, work)
}

/// The bytes that the files in this folder take on the disk; one may go meanwhile.
pub(crate) fn space(dir: &Path) -> u64 {
    let files = fs::read_dir(dir).expect("our own folder is there").flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.blocks() * 512).sum()
}
