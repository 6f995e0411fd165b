//! The benches' front: runs them, shows them, and keeps their last figures in docs/bench.md.
//!
//! Each bench owns one section between two markers; the rest of the page is a person's.

use crate::cli::Bench;
use crate::shell::{self, Failure, Outcome};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::thread;

/// Runs the benches and writes what they printed.
pub(crate) fn run(which: Bench) -> Outcome {
    let commit = commit();
    for bench in BENCHES.iter().filter(|bench| which == Bench::All || which == bench.which) {
        let line = ["cargo", "bench", "--locked", "-p", bench.package, "--bench", bench.file];
        let line: Vec<_> = match bench.part {
            Some(part) => line.into_iter().chain(["--", part]).collect(),
            None => line.to_vec(),
        };
        let mut printed = String::new();
        let status = shell::stream(&line, |text| {
            printed.push_str(text);
            printed.push('\n');
        })?;
        if !status.success() {
            return Err(Failure::new(
                format!("the bench `{}` failed", bench.name),
                format!("see it alone with: {}", line.join(" ")),
            ));
        }
        let section = section(bench.name, &printed, &machine(), &commit, &line.join(" "));
        keep(bench.name, &section)?;
        println!("{PAGE}: section `{}` is written", bench.name);
    }
    Ok(())
}

const PAGE: &str = "docs/bench.md";

const OPENING: &str = "# Benches

What the benches printed when they were last run. `cargo xtask bench` writes each section anew; \
read a figure together with its machine.
";

struct Entry {
    which: Bench,
    /// Of its section.
    name: &'static str,
    package: &'static str,
    file: &'static str,
    /// The part of the file that is run, if not all of it is.
    part: Option<&'static str>,
}

const BENCHES: [Entry; 7] = [
    whole(Bench::Journal, "journal", "instep-journal"),
    whole(Bench::Engine, "engine", "instep-sim"),
    whole(Bench::State, "state", "instep-engine"),
    whole(Bench::Sqlite, "sqlite", "instep"),
    part(Bench::Postgres, "postgres", "source"),
    part(Bench::Copies, "postgres copies", "copies"),
    whole(Bench::Verify, "verify", "instep"),
];

const fn whole(which: Bench, name: &'static str, package: &'static str) -> Entry {
    Entry { which, name, package, file: name, part: None }
}

/// A part of the bench of PostgreSQL.
const fn part(which: Bench, name: &'static str, part: &'static str) -> Entry {
    Entry { which, name, package: "instep", file: "postgres", part: Some(part) }
}

fn keep(name: &str, section: &str) -> Outcome {
    let path = shell::root().join(PAGE);
    let page = fs::read_to_string(&path).unwrap_or_else(|_| OPENING.to_owned());
    write(&path, &with_section(&page, name, section))
        .map_err(|error| Failure::new(format!("{PAGE} cannot be written: {error}"), "free it"))
}

fn write(path: &Path, page: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, page)
}

/// The page with the bench's own section replaced, or added at the end.
fn with_section(page: &str, name: &str, section: &str) -> String {
    let (opens, closes) = markers(name);
    let own = page
        .find(&opens)
        .and_then(|start| page[start..].find(&closes).map(|end| start..start + end + closes.len()));
    match own {
        Some(own) => format!("{}{section}{}", &page[..own.start], &page[own.end..]),
        None => format!("{}\n\n{section}\n", page.trim_end()),
    }
}

fn section(name: &str, printed: &str, machine: &str, commit: &str, line: &str) -> String {
    let (opens, closes) = markers(name);
    let mut text = format!("{opens}\n## {name}\n\n");
    let _ = writeln!(text, "```text\n{}\n```\n", printed.trim_matches('\n'));
    let _ = writeln!(text, "- Machine: {machine}\n- Commit: {commit}\n- Command: `{line}`");
    text + &closes
}

fn markers(name: &str) -> (String, String) {
    (format!("<!-- bench {name} begins -->"), format!("<!-- bench {name} ends -->"))
}

fn machine() -> String {
    let cores = thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let processor = field("/proc/cpuinfo", "model name");
    let memory = field("/proc/meminfo", "MemTotal");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    describe(cores, processor.as_deref(), memory.as_deref(), kernel.trim())
}

fn describe(cores: usize, processor: Option<&str>, memory: Option<&str>, kernel: &str) -> String {
    let gigabytes = memory
        .and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .map_or("unknown memory".to_owned(), |kib| format!("{} GiB of memory", kib >> 20));
    let kernel = if kernel.is_empty() { "unknown" } else { kernel };
    let processor = processor.unwrap_or("unknown processor");
    format!("{cores} cores, {processor}, {gigabytes}, kernel {kernel}")
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let (_, value) = text.lines().find(|line| line.starts_with(name))?.split_once(':')?;
    Some(value.trim().to_owned())
}

fn commit() -> String {
    let Some(head) = shell::answer(&["git", "rev-parse", "--short", "HEAD"]) else {
        return "none yet".to_owned();
    };
    let own = format!(":!{PAGE}");
    let changed = shell::answer(&["git", "status", "--porcelain", "--", ".", &own]);
    if changed.is_some_and(|changed| changed.is_empty()) { head } else { head + "+changes" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_a_section_twice_leaves_the_page_alone() {
        let section = section("journal", "a table\n", "2 cores", "abc", "cargo bench");
        let once = with_section(OPENING, "journal", &section);
        assert_eq!(with_section(&once, "journal", &section), once);
        assert!(once.starts_with("# Benches\n"));
    }

    #[test]
    fn a_section_is_replaced_between_what_others_wrote() {
        let page = with_section("# Page\n", "journal", &section("journal", "old", "", "", ""));
        let page = with_section(&page, "engine", &section("engine", "beside", "", "", ""));
        let page = with_section(&page, "journal", &section("journal", "new", "", "", ""));
        assert!(!page.contains("old"), "{page}");
        assert!(page.find("new") < page.find("beside"), "{page}");
    }

    #[test]
    fn a_machine_is_described_even_where_it_says_little() {
        let full = describe(2, Some("Some Processor"), Some("8388608 kB"), "6.1");
        assert_eq!(full, "2 cores, Some Processor, 8 GiB of memory, kernel 6.1");
        assert!(describe(1, None, None, "").contains("unknown"));
    }
}
