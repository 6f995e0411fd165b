//! Report: what a command has to say in the end, and the code that it exits with.

use crate::problem::Problem;
use model::Code;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The one answer of a command. With `--json` it is the document on standard output.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// How it went, in a word.
    pub status: Status,
    /// How it went, in a sentence.
    pub summary: String,
    /// What is wrong; warnings stand here as well.
    pub problems: Vec<Problem>,
    /// What to do next.
    pub next_steps: Vec<NextStep>,
    /// What was asked for, for programs.
    pub data: Value,
    /// What was asked for, for people; goes to standard output as it is.
    #[serde(skip)]
    pub text: String,
    /// The code to exit with.
    #[serde(skip)]
    pub exit: Exit,
    /// Whether everything was said while the command ran.
    #[serde(skip)]
    pub is_silent: bool,
}

/// How a command went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// What was asked for is done, and good.
    Ok,
    /// Differences, or checks that failed, were found.
    Differences,
    /// The check could not be made, which is never good.
    Unverified,
    /// It could not be done.
    Error,
}

/// What to do next.
#[derive(Clone, Debug, Serialize)]
pub struct NextStep {
    /// In words.
    pub text: String,
    /// As a command, if there is one.
    pub command: Option<String>,
}

/// What a command exits with; the numbers are the contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done, or in step.
    Done = 0,
    /// Something failed that nobody expected.
    Unexpected = 1,
    /// Wrong usage, or a configuration that can not be used.
    Usage = 2,
    /// Differences or failing checks were found.
    Differences = 3,
    /// A server can not be reached.
    Unreachable = 4,
    /// Who asks is not known, or may not.
    Denied = 5,
    /// The check could not be made.
    Unverified = 6,
    /// A guard refused.
    Refused = 7,
    /// It took longer than it may.
    TimedOut = 8,
    /// It was stopped by SIGINT, and has ended cleanly.
    Interrupted = 130,
    /// It was stopped by SIGTERM, and has ended cleanly.
    Terminated = 143,
}

impl Report {
    /// It is done; say what.
    pub fn done(summary: impl Into<String>) -> Self {
        Self::new(Status::Ok, Exit::Done, summary)
    }

    /// It ended with this code.
    pub fn ended(exit: Exit, summary: impl Into<String>) -> Self {
        Self::new(exit.status(), exit, summary)
    }

    /// It is done, and everything was said while it ran.
    pub fn silent() -> Self {
        Self { is_silent: true, ..Self::done("") }
    }

    /// It could not be done; the status is that of the exit code.
    pub fn failed(exit: Exit, summary: impl Into<String>, problems: Vec<Problem>) -> Self {
        let mut report = Self::new(exit.status(), exit, summary);
        let codes: BTreeSet<Code> = problems.iter().map(|problem| problem.code).collect();
        for code in codes {
            let command = Some(format!("instep explain {code}"));
            report.next_steps.push(NextStep { text: format!("read what {code} means"), command });
        }
        report.problems = problems;
        report
    }

    /// The command line could not be understood.
    pub fn usage(what: impl Into<String>, fix: impl Into<String>) -> Self {
        let what = what.into();
        let why = "the command line has something that Instep does not know, or lacks something";
        let problem = Problem::new(Code::Usage, what.clone(), why, fix);
        Self::failed(Exit::Usage, what, vec![problem])
    }

    /// The same report with data, for people and for programs.
    pub fn with(mut self, text: impl Into<String>, data: Value) -> Self {
        self.text = text.into();
        self.data = data;
        self
    }

    /// The same report with warnings.
    pub fn warned(mut self, warnings: Vec<Problem>) -> Self {
        self.problems.extend(warnings);
        self
    }

    /// The same report with something to do next.
    pub fn next(mut self, text: impl Into<String>, command: impl Into<String>) -> Self {
        self.next_steps.push(NextStep { text: text.into(), command: Some(command.into()) });
        self
    }

    fn new(status: Status, exit: Exit, summary: impl Into<String>) -> Self {
        Self {
            status,
            summary: summary.into(),
            problems: Vec::new(),
            next_steps: Vec::new(),
            data: json!({}),
            text: String::new(),
            exit,
            is_silent: false,
        }
    }
}

impl Exit {
    /// The status that goes with the code.
    pub fn status(self) -> Status {
        match self {
            Exit::Done => Status::Ok,
            Exit::Differences => Status::Differences,
            Exit::Unverified => Status::Unverified,
            _ => Status::Error,
        }
    }
}
