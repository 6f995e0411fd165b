//! Loads a configuration from its file, or says everything that is wrong with it.

use super::build::build;
use super::excerpt::excerpt;
use super::keys::ROOT;
use super::read::read;
use super::setting::Setting;
use super::span::{Mark, Span};
use super::surroundings::Surroundings;
use super::trouble::Trouble;
use super::types::Config;
use super::yaml::{self, BYTES_MAX};
use crate::problem::{Place, Problem};
use crate::quote::visible;
use model::Code;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A configuration that holds together.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The same as keys and values, in the order of the reference page.
    pub settings: Setting,
    /// What it was read in.
    pub around: Surroundings,
    /// What is worth a word, but stops nothing.
    pub warnings: Vec<Problem>,
    file: String,
    text: String,
}

impl Loaded {
    /// Where a key stands, by its path, such as `copies.responses.to`; for what shows only while
    /// Instep runs.
    pub fn place(&self, path: &str) -> Option<Place> {
        let setting = self.settings.find(path)?;
        Some(place(&self.file, &self.text, setting.span, &[setting.span]))
    }
}

/// Loads a configuration; the problems are in the order of their places.
pub fn load(file: &Path) -> Result<Loaded, Vec<Problem>> {
    let shown = file.display().to_string();
    let bytes = bytes(file)?;
    let around = Surroundings::of(file);
    load_text(&shown, bytes, around)
}

/// Loads a configuration from the bytes of its file.
pub fn load_text(file: &str, bytes: Vec<u8>, around: Surroundings) -> Result<Loaded, Vec<Problem>> {
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(vec![no_text(file, error.as_bytes())]),
    };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let root = match yaml::read(&text) {
        Ok(root) => root,
        Err(trouble) => {
            let hidden = after_keys(&text);
            return Err(vec![problem(file, &text, &trouble, &hidden)]);
        }
    };
    let reading = read(&root, &ROOT, &around);
    let (config, troubles) = build(&reading.root, &around);
    let mut troubles: Vec<Trouble> = reading.troubles.into_iter().chain(troubles).collect();
    troubles.sort_by_key(|trouble| trouble.span.start);
    let stops = troubles.iter().any(|trouble| !trouble.code.is_warning());
    if troubles.len() > PROBLEMS_MAX {
        troubles.retain(|trouble| !trouble.code.is_warning());
        troubles.truncate(PROBLEMS_MAX);
    }
    let told = troubles.iter().map(|one| problem(file, &text, one, &reading.hidden)).collect();
    if stops {
        return Err(told);
    }
    let config = config.expect("BUG: a configuration is refused and nothing is said against it");
    let file = file.to_owned();
    Ok(Loaded { config, settings: reading.root, around, warnings: told, file, text })
}

/// As many problems as are told at once; nobody reads more.
const PROBLEMS_MAX: usize = 1_000;

fn bytes(file: &Path) -> Result<Vec<u8>, Vec<Problem>> {
    let limit = u64::try_from(BYTES_MAX).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|open| open.take(limit + 1).read_to_end(&mut bytes));
    let shown = file.display();
    if let Err(error) = read {
        let what = format!("the configuration {shown} can not be read");
        let fix =
            "name the file with --config, or in INSTEP_CONFIG; `./instep.yaml` is the default";
        return Err(vec![Problem::new(Code::ConfigFile, what, error.to_string(), fix)]);
    }
    if bytes.len() > BYTES_MAX {
        let what = format!("the configuration {shown} is too large");
        let why = format!("more than {BYTES_MAX} bytes are not read");
        let fix = "name the right file, or shorten it";
        return Err(vec![Problem::new(Code::ConfigFile, what, why, fix)]);
    }
    Ok(bytes)
}

fn no_text(file: &str, bytes: &[u8]) -> Problem {
    let good = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let span = Span::empty(Mark::at(good, good.len()));
    let what = "the file is not UTF-8 from here on";
    let why = "the file is not the YAML that Instep reads";
    let trouble = Trouble::new(Code::ConfigSyntax, span, what, why, "save it as UTF-8");
    problem(file, good, &trouble, &after_keys(good))
}

fn problem(file: &str, text: &str, trouble: &Trouble, hidden: &[Span]) -> Problem {
    let at = place(file, text, trouble.span, hidden);
    let said = |text: &str| text.chars().map(visible).collect::<String>();
    let (what, why, fix) = (said(&trouble.what), said(&trouble.why), said(&trouble.fix));
    Problem::new(trouble.code, what, why, fix).at(at)
}

fn place(file: &str, text: &str, span: Span, hidden: &[Span]) -> Place {
    let Mark { line, column, .. } = span.start;
    let excerpt = Some(excerpt(text, span, hidden));
    Place { file: file.to_owned(), line, column, excerpt }
}

/// Where a text that could not be read as YAML may hold secrets: whatever follows the key of one, up to
/// the next line that is not indented deeper.
fn after_keys(text: &str) -> Vec<Span> {
    let mut hidden = Vec::new();
    let mut start = 0;
    // The indentation of a line whose value goes on in deeper lines.
    let mut open: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let from = if open.is_some_and(|above| indent > above || line.trim().is_empty()) {
            Some(0)
        } else {
            let found = after_key(line);
            open = found.map(|_| indent);
            found
        };
        // What is hidden is found by its bytes alone.
        let mark = |byte| Mark { byte, ..Mark::default() };
        let end = mark(start + line.len());
        hidden.extend(from.map(|from| Span { start: mark(start + from), end }));
        start += line.len();
    }
    hidden
}

/// Where the value of a key that may hold a secret begins in a line, in quotes or not.
fn after_key(line: &str) -> Option<usize> {
    let after = |key: &str| {
        line.match_indices(key).find_map(|(at, found)| {
            let rest = line[at + found.len()..].trim_start_matches(['"', '\'', ' ']);
            rest.strip_prefix(':').map(|value| line.len() - value.len())
        })
    };
    ["token", "password", "postgres"].into_iter().filter_map(after).min()
}
