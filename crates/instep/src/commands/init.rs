//! `instep init`: reads a database and proposes a configuration for it.
//!
//! ```text
//!   given               the database
//!   propose             what is worth copying and counting      (pure; named: what it is called)
//!   written             the proposal as YAML with comments      (pure)
//! ```
//!
//! Invariants: the database is only read, and only so much of it; what is proposed can be used, and is
//! checked here as any other configuration is; a file that is there is never replaced without a word.

mod given;
mod named;
mod propose;
mod written;

use crate::cli::InitArguments;
use crate::commands::asking::blocking;
use crate::config::{Surroundings, load_text};
use crate::problem::Problem;
use crate::report::{Exit, Report};
use connectors::sketch::{Sketch, SketchBounds};
use given::Given;
use model::Code;
use propose::{Proposal, propose};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use written::{Named, Places};

/// How much of a database is read, so that a large one takes no longer than a small one.
const BOUNDS: SketchBounds =
    SketchBounds { tables_max: 200, sample_rows_max: 2_000, counted_rows_max: 20_000 };

/// Proposes a configuration.
pub fn run(arguments: &InitArguments) -> Report {
    blocking(async { init(arguments).await.unwrap_or_else(|report| report) })
}

async fn init(arguments: &InitArguments) -> Result<Report, Report> {
    let given = Given::read(&arguments.from)?;
    let shown = given.shown(&arguments.from);
    let output = arguments.output.as_deref();
    refuse_to_replace(output, arguments.force)?;
    let sketch = given.sketch(&BOUNDS).await?;
    let proposal = propose(given.kind(), &sketch, given.stem());
    if proposal.tables.is_empty() {
        return Err(nothing(&shown, &proposal));
    }
    let folder = folder(output);
    let places = Places {
        from: shown.clone(),
        database: named(&given, &folder)?,
        copy: copy_file(&given, &folder)?,
    };
    let yaml = written::written(&proposal, &places, &BOUNDS);
    check(&yaml, &folder, &places.database)?;
    let summary = summary(&proposal);
    let data = data(&yaml, output, &proposal, &sketch);
    let Some(output) = output else {
        let report = Report::done(summary).with(yaml, data);
        let from = typed(&shown);
        let command = format!("instep init --from {from} --output instep.yaml");
        return Ok(report.next("keep it", command));
    };
    write(output, &yaml, arguments.force)?;
    let shown = typed(&output.display().to_string());
    let report = Report::done(format!("{} is written: {summary}", output.display())).with("", data);
    let report =
        report.next("let editors know its keys", "instep config schema > instep.schema.json");
    let variable = match &places.database {
        Named::Postgres { password, .. } => password.as_ref(),
        Named::Sqlite { .. } => None,
    };
    let report = match variable {
        Some(name) => report.next("say the password", format!("read -rs {name}; export {name}")),
        None => report,
    };
    let report = report.next("check it", format!("instep --config {shown} config check"));
    let report = report.next("see whether all is there", format!("instep --config {shown} doctor"));
    Ok(report.next("start", format!("instep --config {shown} run")))
}

/// A text as a shell takes it for one word.
fn typed(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:".contains(c);
    match text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

/// The database, as the configuration names it: a password stays out of it.
fn named(given: &Given, folder: &Path) -> Result<Named, Report> {
    Ok(match given {
        Given::Sqlite(path) => Named::Sqlite { path: written_path(path, folder)? },
        Given::Postgres(url, _) => {
            // The name begins with a letter, whatever the database is called.
            let name = || format!("DB_{}_PASSWORD", given.stem().to_uppercase().replace('-', "_"));
            Named::Postgres { url: url.bare(), password: url.has_password().then(name) }
        }
    })
}

/// The folder that the configuration will stand in.
fn folder(output: Option<&Path>) -> PathBuf {
    let parent = output.and_then(Path::parent).unwrap_or(Path::new(""));
    let here = || std::env::current_dir().unwrap_or_default();
    match parent.as_os_str().is_empty() {
        true => here(),
        false => std::path::absolute(parent).unwrap_or_else(|_| here()),
    }
}

/// A path as the configuration names it: relative where it is below its folder.
fn written_path(path: &Path, folder: &Path) -> Result<String, Report> {
    let path = path.strip_prefix(folder).unwrap_or(path);
    let text = path.to_str().filter(|text| !text.contains(char::is_control));
    text.map(str::to_owned).ok_or_else(|| {
        let what = format!("the configuration can not name {}", path.display());
        Report::usage(
            what,
            "move the database to a path that is UTF-8 and without control characters",
        )
    })
}

/// A file for the copies that is not there yet, in the configuration's folder.
fn copy_file(given: &Given, folder: &Path) -> Result<String, Report> {
    let stem = given.stem();
    let names = (1..).map(|number| match number {
        1 => format!("{stem}-copy.db"),
        number => format!("{stem}-copy-{number}.db"),
    });
    let mut free = names.take(NAMES_MAX).filter(|name| !folder.join(name).exists());
    free.next().ok_or_else(|| {
        Report::usage(
            "every name for the copies is taken",
            "remove old copies, or use another folder",
        )
    })
}

/// How many names are tried.
const NAMES_MAX: usize = 1_000;

/// What is proposed has to be in order; else it would be a mistake of ours.
fn check(yaml: &str, folder: &Path, database: &Named) -> Result<(), Report> {
    let mut around = Surroundings::of(Path::new("instep.yaml"));
    around.folder = folder.to_owned();
    if let Named::Postgres { password: Some(variable), .. } = database {
        around.variables.insert(variable.clone(), Some("told later".to_owned()));
    }
    match load_text("the proposal", yaml.as_bytes().to_vec(), around) {
        Ok(_) => Ok(()),
        Err(problems) => {
            let summary = "the proposal is not in order; please report this";
            Err(Report::failed(Exit::Unexpected, summary, problems))
        }
    }
}

fn refuse_to_replace(output: Option<&Path>, force: bool) -> Result<(), Report> {
    match output {
        Some(path) if !force && path.symlink_metadata().is_ok() => Err(exists(path)),
        _ => Ok(()),
    }
}

fn exists(path: &Path) -> Report {
    let problem = Problem::of(Code::FileExists, format!("{} is there already", path.display()));
    Report::failed(Exit::Refused, problem.what.clone(), vec![problem])
}

fn write(path: &Path, yaml: &str, force: bool) -> Result<(), Report> {
    let open = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true);
        // Whoever makes the file meanwhile keeps it.
        match force {
            true => options.create(true).truncate(true),
            false => options.create_new(true),
        };
        let mut file = options.open(path)?;
        file.write_all(yaml.as_bytes())?;
        file.sync_all()
    };
    open().map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => exists(path),
        kind => {
            let what = format!("{} can not be written: {error}", path.display());
            let fix = "name a file in a folder that is there and may be written";
            let problem = Problem::new(Code::ConfigFile, what.clone(), error.to_string(), fix);
            let is_denied = kind == ErrorKind::PermissionDenied;
            let exit = if is_denied { Exit::Denied } else { Exit::Unexpected };
            Report::failed(exit, what, vec![problem])
        }
    })
}

fn nothing(from: &str, proposal: &Proposal) -> Report {
    let what = format!("{from} has no table that can be followed");
    let first = Problem::of(Code::NothingToFollow, what.clone());
    let why = |left: &propose::Left| Problem::of(left.code, left.why.clone());
    let problems = std::iter::once(first).chain(proposal.left.iter().map(why)).collect();
    Report::failed(Exit::Usage, what, problems)
}

fn summary(proposal: &Proposal) -> String {
    let counts: usize = proposal.tables.iter().map(|table| table.counts.len()).sum();
    let (tables, left) = (proposal.tables.len(), proposal.left.len());
    format!("tables to copy: {tables}, counts: {counts}, tables that can not be followed: {left}")
}

fn data(yaml: &str, output: Option<&Path>, proposal: &Proposal, sketch: &Sketch) -> Value {
    let table = |table: &propose::Proposed| {
        let counts: Vec<_> = table.counts.iter().map(|count| &count.name).collect();
        json!({ "name": table.name, "copy": table.slug, "key": table.key, "rows": table.rows,
            "has_more_rows": table.has_more_rows, "counts": counts })
    };
    let left = |left: &propose::Left| json!({ "name": left.name, "code": left.code.name(), "why": left.why });
    json!({
        "config": yaml,
        "output": output.map(|path| path.display().to_string()),
        "tables": proposal.tables.iter().map(table).collect::<Vec<_>>(),
        "left_out": proposal.left.iter().map(left).collect::<Vec<_>>(),
        "not_looked_at": sketch.more,
        "sample_rows_max": BOUNDS.sample_rows_max,
    })
}
