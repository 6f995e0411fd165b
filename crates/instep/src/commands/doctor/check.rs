//! PURE: what was looked at, and what came of it.

use crate::problem::Problem;
use model::{Code, Fault};
use serde_json::{Value, json};

/// How deep a look goes; where one fails, those below it would only fail as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    /// What the configuration says.
    Config,
    /// What a name or a path leads to.
    Name,
    /// Whether anything answers there.
    Connect,
    /// Whether the connection can be encrypted.
    Tls,
    /// Whether Instep may do there what it has to.
    Authentication,
    /// Whether it is the right one.
    Identity,
    /// What part it plays.
    Role,
    /// Whether it can do what is asked of it.
    Capability,
    /// How long it takes.
    Latency,
}

/// What came of a look, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// It is as it has to be.
    Good,
    /// It works, and a person should know something.
    Warning,
    /// Nobody knows: the check could not be made.
    NotMeasured,
    /// It does not work.
    Failed,
}

/// One look.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) layer: Layer,
    /// What was tried.
    pub(super) tried: String,
    pub(super) state: State,
    /// What happened.
    pub(super) found: String,
    /// Why we think so.
    pub(super) evidence: Option<String>,
    /// What is wrong and what to do, unless all is good.
    pub(super) problem: Option<Problem>,
}

/// Everything that was looked at about one address.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    /// What it is, and for what.
    pub(super) about: String,
    pub(super) checks: Vec<Check>,
    /// Layers that were not looked at, because one above them failed.
    pub(super) skipped: Vec<Layer>,
}

impl Layer {
    /// Its name for people and programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Layer::Config => "config",
            Layer::Name => "name",
            Layer::Connect => "connect",
            Layer::Tls => "tls",
            Layer::Authentication => "authentication",
            Layer::Identity => "identity",
            Layer::Role => "role",
            Layer::Capability => "capability",
            Layer::Latency => "latency",
        }
    }
}

impl State {
    /// Its name for programs.
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Good => "good",
            State::Warning => "warning",
            State::NotMeasured => "not_measured",
            State::Failed => "failed",
        }
    }

    fn of(code: Code) -> Self {
        match code {
            Code::NotMeasured => State::NotMeasured,
            code if code.is_warning() => State::Warning,
            _ => State::Failed,
        }
    }
}

impl Check {
    /// It is as it has to be.
    pub(super) fn good(layer: Layer, tried: impl Into<String>, found: impl Into<String>) -> Self {
        let (tried, found) = (tried.into(), found.into());
        Self { layer, tried, state: State::Good, found, evidence: None, problem: None }
    }

    /// It is not; the code says how bad that is.
    pub(super) fn bad(
        layer: Layer,
        tried: impl Into<String>,
        code: Code,
        found: impl Into<String>,
    ) -> Self {
        Self::problem(layer, tried, Problem::of(code, found))
    }

    /// It is not, for a reason that is known.
    pub(super) fn problem(layer: Layer, tried: impl Into<String>, problem: Problem) -> Self {
        Self {
            layer,
            tried: tried.into(),
            state: State::of(problem.code),
            found: problem.what.clone(),
            evidence: None,
            problem: Some(problem),
        }
    }

    /// What a fault means for the look that met it.
    pub(super) fn fault(layer: Layer, tried: impl Into<String>, fault: Fault) -> Self {
        let Fault { code, mut what, source, .. } = fault;
        let cause = source.map(|it| it.to_string()).filter(|cause| !what.contains(cause));
        if let Some(cause) = cause {
            what = format!("{what}: {cause}");
        }
        Self::bad(layer, tried, code, what)
    }

    /// Nobody knows.
    pub(super) fn not_measured(
        layer: Layer,
        tried: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        Self::bad(layer, tried, Code::NotMeasured, why)
    }

    /// The same with why we think so.
    pub(super) fn because(mut self, evidence: impl Into<String>) -> Self {
        self.evidence = Some(evidence.into());
        self
    }

    fn to_json(&self) -> Value {
        let problem = self.problem.as_ref();
        json!({
            "layer": self.layer.name(),
            "tried": self.tried,
            "state": self.state.name(),
            "found": self.found,
            "evidence": self.evidence,
            "code": problem.map(|it| it.code.name()),
            "why": problem.map(|it| &it.why),
            "fix": problem.map(|it| &it.fix),
        })
    }
}

impl Group {
    /// A group without a look yet.
    pub(super) fn new(name: impl Into<String>, about: impl Into<String>) -> Self {
        Self { name: name.into(), about: about.into(), checks: Vec::new(), skipped: Vec::new() }
    }

    /// The worst that came of its looks.
    pub(super) fn state(&self) -> State {
        self.checks.iter().map(|check| check.state).max().unwrap_or(State::Good)
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "about": self.about,
            "state": self.state().name(),
            "checks": self.checks.iter().map(Check::to_json).collect::<Vec<_>>(),
            "skipped": self.skipped.iter().map(|layer| layer.name()).collect::<Vec<_>>(),
        })
    }
}
