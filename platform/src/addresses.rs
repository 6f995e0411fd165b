//! The file of addresses: where each service listens, and where its stores are.

use crate::trouble::Trouble;
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Where everything is. Paths are relative to the file's own folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// Who keeps copies and counts.
    pub mode: Mode,
    /// The question service.
    pub questions: QuestionService,
    /// The quiz service.
    pub quiz: Service,
    /// The reporting service.
    pub reporting: Service,
}

/// Who keeps copies and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The services themselves, by second writes, counters and cached totals.
    Legacy,
    /// Somebody else, who follows the shards.
    Followed,
}

/// The question service, which has the truth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionService {
    /// Where it listens; port 0 is any.
    pub listen: SocketAddr,
    /// The files that the questions are spread over.
    pub shards: Vec<PathBuf>,
    /// The file of totals that it answers from.
    pub totals: PathBuf,
}

/// A service with one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Where it listens; port 0 is any.
    pub listen: SocketAddr,
    /// Its store.
    pub store: PathBuf,
}

impl Addresses {
    /// Reads a file.
    pub fn read(file: &Path) -> Result<Self, Trouble> {
        let told = |why: String| Trouble::Addresses(format!("{}: {why}", file.display()));
        let text = fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
        let read: Self = serde_json::from_str(&text).map_err(|error| told(error.to_string()))?;
        if read.questions.shards.is_empty() {
            return Err(told("`questions.shards` names no file".to_owned()));
        }
        Ok(read.below(file.parent().unwrap_or(Path::new(""))))
    }

    /// The same addresses with paths below a folder.
    fn below(mut self, folder: &Path) -> Self {
        let questions = &mut self.questions;
        let stores = [&mut questions.totals, &mut self.quiz.store, &mut self.reporting.store];
        for path in questions.shards.iter_mut().chain(stores) {
            *path = folder.join(&path);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "mode": "legacy",
        "questions": { "listen": "127.0.0.1:0", "shards": ["a.db", "b.db"], "totals": "t.db" },
        "quiz": { "listen": "127.0.0.1:0", "store": "quiz.db" },
        "reporting": { "listen": "127.0.0.1:0", "store": "reporting.db" }
    }"#;

    fn read(text: &str) -> Result<Addresses, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("platform.json");
        fs::write(&file, text).unwrap();
        let read = Addresses::read(&file).map_err(|trouble| trouble.to_string())?;
        assert!(read.quiz.store.starts_with(folder.path()));
        Ok(read)
    }

    #[test]
    fn paths_are_relative_to_the_folder_of_the_file() {
        let read = read(FILE).unwrap();
        assert_eq!(read.mode, Mode::Legacy);
        assert!(read.questions.shards.iter().all(|path| path.is_absolute()));
    }

    #[test]
    fn a_file_that_can_not_be_used_is_told_with_its_reason() {
        for (from, to, words) in [
            ("legacy", "else", "unknown variant `else`"),
            ("quiz.db\"", "quiz.db\", \"more\": 1", "unknown field `more`"),
            ("[\"a.db\", \"b.db\"]", "[]", "names no file"),
            ("legacy\",", "legacy\"", "expected `,`"),
        ] {
            let said = read(&FILE.replacen(from, to, 1)).unwrap_err();
            assert!(said.contains(words), "{said}");
        }
    }
}
