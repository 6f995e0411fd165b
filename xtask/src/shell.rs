//! Running other programs from the root of the repository, and failing with a way out.

use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};

/// What `main` and every command answer with.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Why a command ends without success, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    mend: String,
    code: u8,
}

impl Failure {
    /// A failure that ends the process with exit code 1.
    pub(crate) fn new(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Failure { what: what.into(), mend: mend.into(), code: 1 }
    }

    /// The same failure with another exit code, for programs whose codes mean something.
    pub(crate) fn with_code(self, code: Option<i32>) -> Self {
        let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
        Failure { code, ..self }
    }

    /// Tells a person, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        eprintln!("{self}");
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}\nmend: {}", self.what, self.mend)
    }
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}

/// The words of a line in which no word holds a space.
pub(crate) fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// A program, to be run from the root.
pub(crate) fn program(line: &[&str]) -> Command {
    let mut command = Command::new(line.first().copied().unwrap_or_default());
    command.args(line.iter().skip(1)).current_dir(root());
    command
}

/// Runs a program with our own input and output.
pub(crate) fn run(line: &[&str]) -> Outcome<ExitStatus> {
    program(line).status().map_err(|error| not_started(line, &error))
}

/// Runs a program and shows its standard output while it comes; gives each line to `seen`.
pub(crate) fn stream(line: &[&str], seen: impl FnMut(&str)) -> Outcome<ExitStatus> {
    stream_with(line, &[], seen)
}

/// The same, with these variables.
pub(crate) fn stream_with(
    line: &[&str],
    variables: &[(&str, &Path)],
    mut seen: impl FnMut(&str),
) -> Outcome<ExitStatus> {
    let mut command = program(line);
    command.envs(variables.iter().copied()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(line, &error))?;
    if let Some(output) = child.stdout.take() {
        relay(output, &mut io::stdout(), &mut seen).map_err(|error| not_started(line, &error))?;
    }
    child.wait().map_err(|error| not_started(line, &error))
}

/// What a program prints, without its ends; nothing if it is missing or fails.
pub(crate) fn answer(line: &[&str]) -> Option<String> {
    let output = program(line).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

fn relay(
    output: impl io::Read,
    shown: &mut impl Write,
    seen: &mut impl FnMut(&str),
) -> io::Result<()> {
    let mut reader = BufReader::new(output);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        shown.write_all(&bytes)?;
        shown.flush()?;
        seen(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    Ok(())
}

fn not_started(line: &[&str], error: &io::Error) -> Failure {
    let name = line.first().copied().unwrap_or_default();
    Failure::new(
        format!("`{}` could not be run: {error}", line.join(" ")),
        format!("see that `{name}` is installed and on the PATH"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_what_and_the_way_out() {
        let failure = Failure::new("it broke", "glue it");
        assert_eq!(failure.to_string(), "error: it broke\nmend: glue it");
    }

    #[test]
    fn each_line_is_seen_once_even_without_a_last_line_break() {
        let (mut shown, mut lines) = (Vec::new(), Vec::new());
        let mut seen = |line: &str| lines.push(line.to_owned());
        relay(&b"one\ntwo"[..], &mut shown, &mut seen).unwrap();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(shown, b"one\ntwo");
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = run(&["no-such-program-here"]).unwrap_err();
        assert!(failure.to_string().contains("no-such-program-here"));
    }
}
