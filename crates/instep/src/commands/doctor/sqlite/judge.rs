//! PURE: what the answers of a SQLite file mean.

use crate::commands::doctor::check::{Check, Layer};
use crate::commands::doctor::files::{self, Seen};
use crate::commands::doctor::part::Part;
use crate::commands::doctor::processes;
use crate::problem::Problem;
use connectors::sqlite::glance::{Holder, Way};
use connectors::sqlite::{Notes, Recording};
use model::{Code, Fault, Table};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the path leads to.
pub(super) fn place(path: &Path, is_to_come: bool, seen: io::Result<Seen>) -> Check {
    let (layer, tried) = (Layer::Name, format!("look for {}", path.display()));
    let error = match seen {
        Ok(seen) if seen.is_folder => {
            let what = format!("{} is a folder", path.display());
            return Check::bad(layer, tried, Code::FileUnsuitable, what);
        }
        Ok(seen) => {
            let bytes = files::shown(seen.bytes);
            let found = match seen.real == path {
                true => format!("it is there, {bytes}"),
                false => format!("it leads to {}, {bytes}", seen.real.display()),
            };
            return Check::good(layer, tried, found);
        }
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::NotFound if is_to_come => {
            Check::good(layer, tried, "it is not there yet; `instep run` makes it")
        }
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            let what = format!("there is no file {}", path.display());
            let folder = files::folder_of(path);
            let check = Check::bad(layer, tried, Code::FileMissing, what);
            check.because(format!(
                "{} is the last folder on the way that is there",
                folder.display()
            ))
        }
        ErrorKind::PermissionDenied => {
            let what = format!("uid {} may not look at {}", files::user(), path.display());
            Check::bad(layer, tried, Code::FileDenied, what)
        }
        _ => Check::not_measured(layer, tried, error.to_string()),
    }
}

/// Why it can not be opened. Where that is a matter of rights it belongs to their layer.
pub(super) fn unopened(tried: String, fault: Fault) -> Check {
    let layer = match fault.code {
        Code::FileDenied => Layer::Authentication,
        _ => Layer::Connect,
    };
    Check::fault(layer, tried, fault)
}

/// What an opened file is.
pub(super) fn opened(way: Way, tables: u32) -> String {
    let journal = match way {
        Way::Plain => "with a rollback journal, so that readers and writers wait for each other",
        Way::WithLog => "with a write-ahead log that is in use",
        Way::Still => "with a write-ahead log that nobody uses now",
    };
    format!("a SQLite database of {tables} tables, {journal}")
}

/// Somebody holds it locked at each look.
pub(super) fn locked(holder: Holder, looks: u32, waited: Duration, running: Option<u32>) -> Check {
    let (layer, tried) = (Layer::Connect, "wait until nobody holds it locked");
    let who = processes::named(holder.pid);
    let what = match holder.excludes_readers {
        true => format!("{who} keeps everybody from reading and writing it"),
        false => format!("{who} keeps everybody else from writing to it"),
    };
    let is_ours = running.is_some() && holder.pid == running;
    let code = if is_ours { Code::ServiceSlow } else { Code::FileLocked };
    let evidence = format!("it was locked at each of {looks} looks in {waited:.1?}");
    Check::bad(layer, tried, code, what).because(evidence)
}

/// What this process may do with the file.
#[derive(Clone, Debug)]
pub(super) struct Rights {
    pub(super) read: bool,
    pub(super) write: bool,
    /// Whether it may make files in the folder.
    pub(super) write_beside: bool,
    pub(super) folder: PathBuf,
}

/// Whether that is what its part needs.
pub(super) fn rights(part: &Part, seen: Option<&Seen>, may: &Rights) -> Check {
    let (layer, user) = (Layer::Authentication, files::user());
    let is_written = part.source.is_some() || part.is_target();
    let tried = format!("ask what uid {user} may do with it");
    let evidence =
        seen.map(|seen| format!("it belongs to uid {}, mode {:o}", seen.owner, seen.mode));
    let lacking = match may {
        Rights { read: false, .. } => "may not read it".to_owned(),
        Rights { write: false, .. } if is_written => "may not write to it".to_owned(),
        Rights { write_beside: false, folder, .. } if is_written => {
            format!("may not make files in its folder {}", folder.display())
        }
        _ if is_written => {
            return Check::good(layer, tried, "read it, and write to it and beside it");
        }
        _ => return Check::good(layer, tried, "read it"),
    };
    let code = match part.source {
        Some(_) if may.read => Code::SourceReadOnly,
        _ => Code::FileDenied,
    };
    let check = Check::bad(layer, tried, code, format!("uid {user} {lacking}"));
    match evidence {
        Some(evidence) => check.because(evidence),
        None => check,
    }
}

/// What stands in it as a source.
pub(super) fn source(recording: &Recording) -> Check {
    let (layer, tried) = (Layer::Role, "read what is recorded there");
    let Recording { identity, is_of_other_version, last, triggers, lacking, new, .. } = recording;
    if *is_of_other_version {
        let what = "its triggers were made by another version of Instep";
        let why = "this version does not know what they record";
        let fix = "run that version, or detach the source with it";
        return Check::problem(layer, tried, Problem::new(Code::SourceUnavailable, what, why, fix));
    }
    if !lacking.is_empty() {
        let lacking = lacking.iter().map(|(table, count)| format!("{table} ({count})"));
        let lacking: Vec<_> = lacking.collect();
        let what =
            format!("triggers are missing or stand in the wrong order: {}", lacking.join(", "));
        return Check::bad(layer, tried, Code::SourceTriggers, what);
    }
    let new: Vec<_> = new.iter().map(|table| table.as_str()).collect();
    Check::good(
        layer,
        tried,
        match (identity, new.is_empty()) {
            (None, _) => "nothing yet; `instep run` adds triggers for its tables".to_owned(),
            (Some(_), true) => {
                format!("{triggers} triggers are all there, the last change is {last}")
            }
            (Some(_), false) => {
                format!("{triggers} triggers; `instep run` adds those of {}", new.join(", "))
            }
        },
    )
}

/// What stands in it as a target.
pub(super) fn target(notes: Result<Option<Notes>, Fault>) -> Check {
    let (layer, tried) = (Layer::Role, "read what Instep noted there");
    match notes {
        Err(fault) => Check::fault(layer, tried, fault),
        Ok(None) => Check::good(layer, tried, "nothing yet"),
        Ok(Some(Notes { is_of_other_format: true, .. })) => {
            let what = "its notes are of a format that this version does not know";
            Check::bad(layer, tried, Code::TargetDamaged, what)
        }
        Ok(Some(Notes { lanes, leaders, holds, .. })) => {
            let lanes = lanes.iter().map(|(lane, at)| format!("{lane} at {at}"));
            let mut found: Vec<_> = lanes.collect();
            found.extend((holds > 0).then(|| format!("{holds} keys held")));
            found.extend(leaders.iter().map(|it| format!("written by instance {it}")));
            if found.is_empty() {
                found.push("no lane has come there yet".to_owned());
            }
            Check::good(layer, tried, found.join(", "))
        }
    }
}

/// A table that can be followed.
pub(super) fn followable(table: &Table) -> String {
    let key: Vec<_> = table.key_names().collect();
    format!("it can be followed: {} columns, key {}", table.columns.len(), key.join(", "))
}

/// How long it took.
pub(super) fn latency((read, waited): (Duration, Duration)) -> Check {
    let (layer, tried) = (Layer::Latency, "open, read, and wait for who writes");
    let found = match waited.is_zero() {
        true => format!("{read:.1?}, and nobody held it locked"),
        false => format!("{read:.1?}, after {waited:.1?} in which others held it locked"),
    };
    match read > SLOW || waited > SLOW {
        false => Check::good(layer, tried, found),
        true => Check::bad(layer, tried, Code::ServiceSlow, found),
    }
}

/// From when on a service is slow.
const SLOW: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests;
