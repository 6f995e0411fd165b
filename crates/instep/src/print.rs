//! Says a report: data to standard output, everything else to standard error, or all of it as one
//! JSON document to standard output.

use crate::paint::Paint;
use crate::problem::{Place, Problem};
use crate::report::{Exit, Report, Status};
use clap::error::ErrorKind;
use model::Code;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

/// Says the report and gives the code to exit with.
pub fn print(report: &Report, json: bool) -> ExitCode {
    let said = match json {
        _ if report.is_silent => Ok(()),
        true => print_json(report),
        false => print_text(report),
    };
    match said {
        // Whoever reads has closed the pipe, as `head` does, and wants no more.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(io::stderr(), "instep: the answer can not be written: {error}");
            ExitCode::from(Exit::Unexpected as u8)
        }
        _ => ExitCode::from(report.exit as u8),
    }
}

/// Says what clap has to say: help and versions as they are, mistakes also as JSON.
pub fn print_usage(error: &clap::Error, json: bool) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(Exit::Usage as u8);
    if json && error.use_stderr() {
        return print(&usage(error), json);
    }
    let _ = error.print();
    if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let code = Code::Usage;
        let _ = writeln!(
            io::stderr(),
            "\n[{code}] Nothing was done. `instep explain {code}` says more."
        );
    }
    ExitCode::from(code)
}

fn usage(error: &clap::Error) -> Report {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Report::usage("there is no command", "`instep --help` lists the commands");
    }
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let what = lines.next().unwrap_or_default().trim_start_matches("error: ");
    Report::usage(what, lines.collect::<Vec<_>>().join("; "))
}

fn print_json(report: &Report) -> io::Result<()> {
    let mut json = serde_json::to_string_pretty(report)?;
    json.push('\n');
    let mut out = io::stdout().lock();
    out.write_all(json.as_bytes())?;
    out.flush()
}

fn print_text(report: &Report) -> io::Result<()> {
    let done = report.status == Status::Ok;
    let mut out = io::stdout().lock();
    out.write_all(report.text.as_bytes())?;
    if report.text.is_empty() && done {
        writeln!(out, "{}", report.summary)?;
    }
    out.flush()?;
    // Problems come after the data, and the most important line last.
    let said = messages(report, Paint::for_stderr());
    io::stderr().lock().write_all(said.as_bytes())
}

/// What a person reads beside the data.
fn messages(report: &Report, paint: Paint) -> String {
    let mut said = String::new();
    for problem in &report.problems {
        said.push_str(&describe(problem, paint));
        said.push('\n');
    }
    let done = report.status == Status::Ok;
    let steps = report.next_steps.iter().filter(|_| !done).take(STEPS_SHOWN);
    for (command, text) in steps.filter_map(|step| Some((step.command.as_ref()?, &step.text))) {
        let _ = writeln!(said, "{}  {command}   {text}", paint.dim("next:"));
    }
    // A single problem has often been the whole of it.
    let repeats = report.problems.iter().any(|problem| problem.what == report.summary);
    if !done && !repeats {
        let _ = writeln!(said, "{}", paint.bold(&report.summary));
    }
    said
}

/// As many next steps as a person reads; a program is given all of them.
const STEPS_SHOWN: usize = 3;

/// A problem as a block of lines.
fn describe(problem: &Problem, paint: Paint) -> String {
    let mut said = String::new();
    if let Some(Place { file, line, column, .. }) = &problem.place {
        let _ = write!(said, "{file}:{line}:{column}: ");
    }
    let code = if problem.code.is_warning() {
        paint.yellow(problem.code.name())
    } else {
        paint.red(problem.code.name())
    };
    let _ = writeln!(said, "{code} {}", paint.bold(&problem.what));
    if let Some(Place { line, excerpt: Some(excerpt), .. }) = &problem.place {
        let number = line.to_string();
        let gutter = " ".repeat(number.len());
        let carets = paint.red(&"^".repeat(excerpt.width));
        let _ = writeln!(said, "  {} {}", paint.dim(&format!("{number} |")), excerpt.text);
        let before = " ".repeat(excerpt.before);
        let _ = writeln!(said, "  {gutter} {} {before}{carets}", paint.dim("|"));
    }
    let _ = writeln!(said, "  {} {}", paint.dim("why:"), problem.why);
    let _ = writeln!(said, "  {} {}", paint.dim("fix:"), problem.fix);
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Excerpt;

    fn problem() -> Problem {
        let excerpt = Some(Excerpt { text: "listn: x".into(), before: 0, width: 5 });
        let place = Place { file: "a.yaml".into(), line: 12, column: 1, excerpt };
        Problem::new(Code::ConfigUnknownKey, "what", "why", "fix").at(place)
    }

    #[test]
    fn a_problem_shows_its_place_its_line_and_a_caret() {
        let said = describe(&problem(), Paint::none());
        assert_eq!(
            said,
            "a.yaml:12:1: E-CONFIG-UNKNOWN-KEY what\n  12 | listn: x\n     | ^^^^^\n  why: why\n  fix: fix\n"
        );
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let painted = describe(&problem(), Paint::all());
        let bare = painted.split('\u{1b}').map(|part| match part.find('m') {
            Some(end) if part.starts_with('[') => &part[end + 1..],
            _ => part,
        });
        assert_eq!(bare.collect::<String>(), describe(&problem(), Paint::none()));
    }

    #[test]
    fn the_summary_of_what_failed_comes_last() {
        let report = Report::failed(Exit::Usage, "one problem", vec![problem()]);
        let said = messages(&report, Paint::none());
        assert_eq!(said.lines().last(), Some("one problem"));
        assert!(said.contains("next:  instep explain E-CONFIG-UNKNOWN-KEY"));
    }
}
