//! PURE: what a person reads of a comparison.

use super::whole::{Compared, Side, Sums, Whole};
use crate::quote::visible;
use crate::table::Table;
use compare::{Agreed, Difference, Kind, Method, Outcome, Rule};
use model::Value;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// What stands for a value that is not shown.
pub(super) const MASKED: &str = "•••";

/// The longest value and the longest other text in a line, in characters.
const VALUE_CHARS_MAX: usize = 60;
const TEXT_CHARS_MAX: usize = 240;

/// What is known before a comparison.
pub(super) struct Before<'a> {
    /// The service of the source, where there are several.
    pub(super) shard: Option<&'a str>,
    /// The source and the copy.
    pub(super) sides: &'a [Side; 2],
    /// How rows are compared.
    pub(super) method: Method,
    /// For how long the source's row has to stand still.
    pub(super) settle: Duration,
    /// How each column is compared.
    pub(super) agreed: &'a [Agreed],
    /// Columns that only one side has, with that side.
    pub(super) alone: &'a [(Arc<str>, &'static str)],
}

/// Which tables are compared, and how, where that is not plain.
pub(super) fn before(before: &Before<'_>) -> String {
    let mut text = String::new();
    let [source, copy] = before.sides;
    let shard = before.shard.map_or_else(String::new, |shard| format!(", service {shard}"));
    let mut line = |name: &str, text_of: String| {
        let _ = writeln!(text, "{name:<8}{}", shown(&text_of));
    };
    line("source", format!("{} in {} ({}){shard}", source.table, source.at, source.store));
    line("copy", format!("{} in {} ({})", copy.table, copy.at, copy.store));
    let settle = span(before.settle);
    line(
        "method",
        match before.method {
            Method::Sums => format!(
                "both servers make sums of hashes, and rows are read where these differ; a row counts as different once it stays so for {settle}"
            ),
            Method::Rows => format!(
                "every row is read on both sides; a row counts as different once it stays so for {settle}"
            ),
            Method::Counts => format!(
                "numbers of rows by group; one counts as different once it stays so for {settle}"
            ),
        },
    );
    for side in ["source", "copy"] {
        let names = before.alone.iter().filter(|(_, of)| *of == side).map(|(name, _)| &**name);
        let names: Vec<_> = names.collect();
        if !names.is_empty() {
            line("alone", format!("only the {side} has {}; not compared", names.join(", ")));
        }
    }
    let columns = columns(before.agreed).to_string();
    if !columns.is_empty() {
        let _ = write!(text, "\n{columns}");
    }
    text.push('\n');
    text
}

/// Columns that are not compared as they are.
fn columns(agreed: &[Agreed]) -> Table {
    let mut table = Table::new(["column", "at the source", "types", "compared"]);
    for column in agreed {
        let is_renamed = column.copy != column.source;
        if column.rule == Rule::Exact && !column.is_declared && !is_renamed && column.note.is_none()
        {
            continue;
        }
        let [copy, source] = &column.declared;
        let asked = if column.is_declared { ", as asked for" } else { "" };
        let note = column.note.as_ref().map_or_else(String::new, |note| format!("; {note}"));
        table.row([
            shown(&column.copy),
            if is_renamed { shown(&column.source) } else { String::new() },
            shown(&format!("{source} → {copy}")),
            format!("{}{asked}{note}", column.rule),
        ]);
    }
    table
}

/// The verdict in a sentence.
pub(super) fn sentence(whole: &Whole, patience: Duration) -> String {
    let first = &whole.first().verdict;
    let (sums, things) = (whole.sums(), things(first.method));
    let compared = thousands(sums.compared);
    let [took, settle] = [whole.took(), first.settle].map(span);
    let position = whole.position().map_or_else(String::new, |it| format!(", position {it}"));
    let sampled =
        first.sampled.map_or_else(String::new, |share| format!(" in a sample of {share} %"));
    let table = &whole.first().sides[0].table;
    let beside = format!(
        "{took}{position}; {} counts as different once it stays so for {settle}",
        one(first.method)
    );
    match whole.outcome() {
        Outcome::Equal => format!(
            "in step: {compared} {things} of {}{sampled} are the same in the copy ({beside})",
            shown(table)
        ),
        Outcome::Differences => {
            let mut text =
                format!("{} of {compared} compared{sampled}", found(&sums, first.method));
            let open = open(whole, &sums, patience);
            if !open.is_empty() {
                let _ = write!(text, "; beside that {}", open.join(", "));
            }
            format!("{text} ({took}{position})")
        }
        Outcome::Unverified => format!(
            "unverified: {}; {compared} {things} were compared{sampled}, and no difference has settled ({beside})",
            open(whole, &sums, patience).join(", ")
        ),
    }
}

fn found(sums: &Sums, method: Method) -> String {
    let Sums { missing, extra, different, orphans, .. } = *sums;
    let number = missing + extra + different + orphans;
    let (what, verb) = match (method, number) {
        (Method::Counts, 1) => ("number", "differs"),
        (Method::Counts, _) => ("numbers", "differ"),
        (_, 1) => ("row", "differs"),
        _ => ("rows", "differ"),
    };
    let [number, missing, extra, different] = [number, missing, extra, different].map(thousands);
    let orphans = match orphans {
        0 => String::new(),
        orphans => format!(", {} without the row that they refer to", thousands(orphans)),
    };
    format!(
        "{number} {what} {verb}: {missing} missing, {extra} extra, {different} different{orphans}"
    )
}

/// What leaves the verdict open, in words.
fn open(whole: &Whole, sums: &Sums, patience: Duration) -> Vec<String> {
    let mut open = Vec::new();
    if sums.unsettled > 0 {
        let number = thousands(sums.unsettled);
        open.push(match whole.is_cut_off() {
            true => format!("{number} did not match and were not looked at for long enough"),
            false => format!("{number} kept changing and did not settle within {}", span(patience)),
        });
    }
    let unread: usize = whole.parts.iter().map(|part| part.verdict.unread.len()).sum();
    match unread {
        0 => {}
        1 => {
            let mut all = whole.parts.iter().flat_map(|part| &part.verdict.unread);
            let one = all.next().map_or("something", |unread| &unread.what);
            open.push(format!("{} could not be compared", shown(one)));
        }
        several => open.push(format!("{several} things could not be compared")),
    }
    if whole.is_partial() {
        open.push("it was told to stop before its end".to_owned());
    }
    open
}

/// The differences that are listed, as a table.
pub(super) fn differences(whole: &Whole, shows_values: bool) -> String {
    let mut table = match whole.parts.iter().any(|part| part.shard.is_some()) {
        true => Table::new(["key", "kind", "cause", "columns", "service"]),
        false => Table::new(["key", "kind", "cause", "columns"]),
    };
    for Compared { shard, verdict, .. } in &whole.parts {
        for difference in &verdict.differences {
            let key = difference.key.iter().map(|(name, value)| format!("{name}={}", bare(value)));
            let key: Vec<_> = key.collect();
            let cells = [
                shown(&key.join(" ")),
                difference.kind.word().replace('_', " "),
                difference.cause.word().replace('_', " "),
                told(difference, shows_values),
            ];
            table.row(cells.into_iter().chain(shard.clone()));
        }
    }
    let mut text = table.to_string();
    let more = whole.sums().more;
    if more > 0 {
        let _ = writeln!(
            text,
            "… and {} more; --limit-differences lists more of them",
            thousands(more)
        );
    }
    text
}

/// The columns of a difference, with the values of both sides.
fn told(difference: &Difference, shows_values: bool) -> String {
    let is_pair = difference.kind == Kind::Different;
    let column = |column: &compare::ColumnDifference| {
        let name = shown(&column.name);
        match (shows_values, is_pair) {
            (false, true) => format!("{name} {MASKED} → {MASKED}"),
            (false, false) => name,
            (true, true) => {
                format!("{name} {} → {}", side(column.source.as_ref()), side(column.copy.as_ref()))
            }
            (true, false) => {
                format!("{name} {}", side(column.source.as_ref().or(column.copy.as_ref())))
            }
        }
    };
    let columns: Vec<_> = difference.columns.iter().map(column).collect();
    columns.join(", ")
}

fn side(value: Option<&Value>) -> String {
    value.map_or_else(
        || "nothing".to_owned(),
        |value| cut(&server::json(value).to_string(), VALUE_CHARS_MAX),
    )
}

/// A value of a key: a text without quotes.
fn bare(value: &Value) -> String {
    match server::json(value) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A text without what would disturb a terminal, and not longer than can be read.
fn shown(text: &str) -> String {
    cut(text, TEXT_CHARS_MAX)
}

fn cut(text: &str, chars_max: usize) -> String {
    let mut shown: String = text.chars().take(chars_max).map(visible).collect();
    if text.chars().nth(chars_max).is_some() {
        shown.push('…');
    }
    shown
}

fn things(method: Method) -> &'static str {
    match method {
        Method::Counts => "numbers by group",
        Method::Sums | Method::Rows => "rows",
    }
}

fn one(method: Method) -> &'static str {
    match method {
        Method::Counts => "a number",
        Method::Sums | Method::Rows => "a row",
    }
}

/// A number with its thousands apart.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time that something takes, as people say it.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) if seconds < 10 && time.subsec_millis() >= 100 => {
            format!("{seconds}.{} s", time.subsec_millis() / 100)
        }
        (0, 0, 0) if time.subsec_millis() > 0 => format!("{} ms", time.subsec_millis()),
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests;
