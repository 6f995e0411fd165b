//! A directory of a test, with copies of it as a crash would leave it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A directory that goes away with the test.
pub(crate) struct TestFolder(PathBuf);

impl TestFolder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("instep-engine-{}-{count}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("it is there");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What a process would find that starts after this one was killed now.
    pub(crate) fn killed(&self) -> Self {
        let copy = Self::new();
        let mut names = names(&self.0);
        // A merge may be at work: what the list names stays until its store is called again.
        names.sort_by_key(|name| !name.starts_with("list"));
        for name in names {
            // A list that was new is by now the list.
            let _ = fs::copy(self.0.join(&name), copy.0.join(&name));
        }
        copy
    }

    /// The files whose names begin so, sorted by the number behind.
    pub(crate) fn files(&self, beginning: &str) -> Vec<PathBuf> {
        let mut names = names(&self.0);
        names.retain(|name| name.starts_with(beginning));
        names.sort_by_key(|name| name[beginning.len()..].parse::<u64>().unwrap_or(0));
        names.iter().map(|name| self.0.join(name)).collect()
    }
}

impl Drop for TestFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries =
        fs::read_dir(dir).expect("it is there").map(|entry| entry.expect("the disk works"));
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()));
    files.map(|entry| entry.file_name().into_string().expect("it is there")).collect()
}
