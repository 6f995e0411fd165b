//! Runs the program in a folder of its own, with no variables but those that a test sets.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder with files, in which the program runs.
pub(crate) struct Folder {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a run ended.
pub(crate) struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// A folder with this configuration in it.
    pub(crate) fn with(config: &str) -> Self {
        let folder = Self::new();
        folder.write("instep.yaml", config);
        folder
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// The folder, without links in its path.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.args(line.split_whitespace()).current_dir(self.path());
        command.env_clear().envs(self.variables.iter().cloned());
        let Output { status, stdout, stderr } = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: status.code().unwrap(), out: text(stdout), err: text(stderr) }
    }
}

impl Ran {
    /// The one document on standard output, which has every field of the contract and no other.
    pub(crate) fn json(&self) -> Value {
        let json: Value = serde_json::from_str(&self.out).unwrap();
        let fields: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(fields, ["data", "next_steps", "problems", "status", "summary"]);
        for problem in json["problems"].as_array().unwrap() {
            let fields: Vec<&str> =
                problem.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, ["code", "fix", "what", "where", "why"]);
        }
        json
    }

    /// Every problem as `LINE:COLUMN CODE`, or `CODE` alone.
    pub(crate) fn problems(&self) -> Vec<String> {
        let json = self.json();
        let problems = json["problems"].as_array().unwrap();
        let said = |problem: &Value| {
            let code = problem["code"].as_str().unwrap();
            match &problem["where"] {
                Value::Null => code.to_owned(),
                place => format!("{}:{} {code}", place["line"], place["column"]),
            }
        };
        problems.iter().map(said).collect()
    }
}
