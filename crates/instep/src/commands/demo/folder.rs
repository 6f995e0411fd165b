//! The folder of a demo: a temporary one that goes away with it, or one that stays.

use super::files::SHARDS;
use crate::report::Report;
use platform::{Addresses, Mode, QuestionService, Service};
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The folder.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Goes away when it is dropped.
    passing: Option<TempDir>,
}

/// The platform that keeps its copies and counts itself.
pub(super) const TODAY: &str = "today";

/// The platform that Instep follows.
pub(super) const FOLLOWED: &str = "with-instep";

/// The variable that says where Instep listens while the demo runs: any port will do. Without it,
/// that is for what stays, it is the usual one.
pub(super) const LISTEN: &str = "INSTEP_DEMO_LISTEN";

const CONFIG: &str = r#"# What keeps the quiz platform in `with-instep` in step: this file is all of it.
version: 1
data_dir: instep-data
listen: "${INSTEP_DEMO_LISTEN:-127.0.0.1:7171}"
limits: { retry_pause_seconds: 0.5, lease_seconds: 2 }

services:                                     # the address book
  questions-a: { sqlite: with-instep/questions-a.db }
  questions-b: { sqlite: with-instep/questions-b.db }
  totals:      { sqlite: with-instep/totals.db }
  quiz:        { sqlite: with-instep/quiz.db }
  reporting:   { sqlite: with-instep/reporting.db }

sources:
  questions: { from: [questions-a, questions-b], tables: [questions] }

copies:                                       # the quiz service's own questions
  quiz: { of: questions/questions, to: quiz/questions, shard_column: shard, create: true }

counts:                                       # what the services answer from
  questions:
    of: questions/questions
    by: [topic]
    to: [reporting/question_counts, totals/question_counts]
"#;

impl Folder {
    /// Makes the folder, with everything in it that the platforms and Instep are told.
    pub(super) fn make(keep: Option<&Path>) -> Result<Self, Report> {
        let told = |at: &Path, error: &io::Error| {
            let what = format!("{} can not be used: {error}", at.display());
            Report::usage(what, "name a folder that is new or empty, where you may write")
        };
        let folder = match keep {
            Some(path) => kept(path).map_err(|error| told(path, &error))?,
            None => passing().map_err(|error| told(&std::env::temp_dir(), &error))?,
        };
        folder.furnish().map_err(|error| told(&folder.path, &error))?;
        Ok(folder)
    }

    /// A file or a folder in it.
    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Ends its use; what does not stay goes away.
    pub(super) fn close(self) -> io::Result<()> {
        self.passing.map_or(Ok(()), TempDir::close)
    }

    fn furnish(&self) -> io::Result<()> {
        fs::write(self.at("instep.yaml"), CONFIG)?;
        for (name, mode) in [(TODAY, Mode::Legacy), (FOLLOWED, Mode::Followed)] {
            fs::create_dir(self.at(name))?;
            let text = serde_json::to_string_pretty(&addresses(mode))?;
            fs::write(self.at(name).join("platform.json"), text + "\n")?;
        }
        Ok(())
    }
}

fn passing() -> io::Result<Folder> {
    let made = tempfile::Builder::new().prefix("instep-demo-").tempdir()?;
    Ok(Folder { path: made.path().to_path_buf(), passing: Some(made) })
}

fn kept(path: &Path) -> io::Result<Folder> {
    fs::create_dir_all(path)?;
    if fs::read_dir(path)?.next().is_some() {
        return Err(io::Error::new(io::ErrorKind::DirectoryNotEmpty, "there is something in it"));
    }
    Ok(Folder { path: path.to_path_buf(), passing: None })
}

/// Where the services of a platform are: any ports, and files in its own folder.
fn addresses(mode: Mode) -> Addresses {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let file = |name: &str| PathBuf::from(format!("{name}.db"));
    Addresses {
        mode,
        questions: QuestionService {
            listen,
            shards: SHARDS.map(file).to_vec(),
            totals: file("totals"),
        },
        quiz: Service { listen, store: file("quiz") },
        reporting: Service { listen, store: file("reporting") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_of_a_demo_is_right() {
        let folder = Folder::make(None).unwrap();
        let loaded = crate::config::load(&folder.at("instep.yaml")).unwrap();
        assert_eq!(loaded.config.listen.port(), 7171);
        assert!(CONFIG.contains(&format!("${{{LISTEN}:-")));
        for shard in SHARDS {
            assert!(loaded.config.services.contains_key(shard));
        }
        let path = folder.path.clone();
        folder.close().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_with_something_in_it_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("mine"), "").unwrap();
        let report = Folder::make(Some(folder.path())).unwrap_err();
        assert_eq!(report.exit, crate::report::Exit::Usage);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
