//! Surroundings: what a configuration may ask for outside of itself.

use super::variables::Variables;
use std::env;
use std::path::{Path, PathBuf};

/// The environment's variables, and the folder that paths are relative to.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Each variable's value; none where it is not UTF-8.
    pub variables: Variables,
    /// The folder of the configuration's file.
    pub folder: PathBuf,
}

impl Surroundings {
    /// Those of this process, for a configuration in this file.
    pub fn of(file: &Path) -> Self {
        let variables = env::vars_os().filter_map(|(name, value)| {
            // A name that is not UTF-8 can not be asked for.
            Some((name.into_string().ok()?, value.into_string().ok()))
        });
        let folder = file.parent().unwrap_or(Path::new(""));
        let folder = std::path::absolute(folder).or_else(|_| env::current_dir());
        Self { variables: variables.collect(), folder: folder.unwrap_or_default() }
    }

    /// A path of the configuration, from the root.
    pub fn path(&self, written: &str) -> PathBuf {
        // Read part by part, so that `./` leaves no trace.
        self.folder.join(written).components().collect()
    }
}
