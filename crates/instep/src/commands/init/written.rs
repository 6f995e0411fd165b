//! PURE: a proposal as YAML, with the reasons as comments.

use super::propose::{Proposal, Proposed, ProposedCount};
use crate::config::yaml_text;
use crate::quote::visible;
use connectors::sketch::SketchBounds;
use std::fmt::Write as _;

/// What is named by where it is.
pub(super) struct Places {
    /// The database as it was given, without a password.
    pub(super) from: String,
    /// The database, as the configuration names it.
    pub(super) database: Named,
    /// The file for the copies, as the configuration names it.
    pub(super) copy: String,
}

/// A database, as a configuration names it.
pub(super) enum Named {
    /// A SQLite file.
    Sqlite {
        /// Its path.
        path: String,
    },
    /// A PostgreSQL database.
    Postgres {
        /// Its URL, without a password.
        url: String,
        /// The variable that has the password, if it needs one.
        password: Option<String>,
    },
}

/// The proposal.
pub(super) fn written(proposal: &Proposal, places: &Places, bounds: &SketchBounds) -> String {
    let Proposal { source, copy, tables, .. } = proposal;
    let mut yaml = String::from("# yaml-language-server: $schema=./instep.schema.json\n");
    head(places, bounds, &mut yaml);
    let _ = write!(yaml, "version: 1\n\nservices:\n  {source}:\n");
    yaml.push_str(&service(&places.database));
    yaml.push_str("  # A second file, which `instep run` makes, with a copy of each table.\n");
    let _ = write!(yaml, "  {copy}:\n    sqlite: {}\n", yaml_text(&places.copy));
    let _ = writeln!(yaml, "\n{}", installed(&places.database));
    let _ = writeln!(yaml, "# `instep source detach {source}` takes them out again.");
    let _ = write!(yaml, "sources:\n  {source}:\n    from: {source}\n    tables:\n");
    for table in tables {
        let _ = writeln!(yaml, "      - {}  # {}", yaml_text(&table.name), described(table));
    }
    yaml.push_str(
        "\n# Each is kept equal to its table. Leave out what you need nowhere else.\ncopies:\n",
    );
    for table in tables {
        let (of, to) = (format!("{source}/{}", table.name), format!("{copy}/{}", table.to));
        let _ = writeln!(yaml, "  {}:", table.slug);
        let _ = writeln!(yaml, "    of: {}", yaml_text(&of));
        let _ = writeln!(yaml, "    to: {}", yaml_text(&to));
        yaml.push_str("    create: true\n");
    }
    yaml.push_str("\n# Numbers that equal a recount. The API answers with them, and with `to: ");
    let _ =
        writeln!(yaml, "[{copy}/TABLE]`\n# they are also kept in a table, for services to read.");
    yaml.push_str("counts:\n");
    for table in tables {
        for count in &table.counts {
            written_count(source, table, count, &mut yaml);
        }
    }
    left_out(proposal, &mut yaml);
    yaml
}

fn service(database: &Named) -> String {
    match database {
        Named::Sqlite { path } => format!("    sqlite: {}\n", yaml_text(path)),
        Named::Postgres { url, password } => {
            let url = format!("    postgres: {}\n", yaml_text(url));
            let password = password.iter().map(|variable| {
                format!(
                    "    # Or a file that only Instep's user may read: {{ file: PATH }}\n    \
                     password: \"${{{variable}:?the password}}\"\n"
                )
            });
            std::iter::once(url).chain(password).collect()
        }
    }
}

/// What following it puts there.
fn installed(database: &Named) -> &'static str {
    match database {
        Named::Sqlite { .. } => {
            "# `instep run` adds triggers to its tables, which record what changes;"
        }
        Named::Postgres { .. } => {
            "# `instep run` makes a publication of its tables and a replication slot there;"
        }
    }
}

fn head(places: &Places, bounds: &SketchBounds, yaml: &mut String) {
    let from = in_comment(&places.from);
    let _ = write!(
        yaml,
        "#\n# Proposed by `instep init --from {from}`.\n# Counts are proposed by what the first {} \
         rows of each table look like.\n\n",
        bounds.sample_rows_max
    );
}

fn described(table: &Proposed) -> String {
    let more = if table.has_more_rows { "more than " } else { "" };
    let rows = if table.rows == 1 && !table.has_more_rows { "row" } else { "rows" };
    let key: Vec<_> = table.key.iter().map(|column| in_comment(column)).collect();
    format!("{more}{} {rows}, key {}", table.rows, key.join(", "))
}

fn written_count(source: &str, table: &Proposed, count: &ProposedCount, yaml: &mut String) {
    let ProposedCount { name, by, condition, why } = count;
    let _ = writeln!(yaml, "  {name}:  # {}", in_comment(why));
    let _ = writeln!(yaml, "    of: {}", yaml_text(&format!("{source}/{}", table.name)));
    if let Some(by) = by {
        let _ = writeln!(yaml, "    by:\n      - {}", yaml_text(by));
    }
    if let Some(condition) = condition {
        let _ = writeln!(yaml, "    where: {}", yaml_text(condition));
    }
}

fn left_out(proposal: &Proposal, yaml: &mut String) {
    if !proposal.left.is_empty() {
        yaml.push_str("\n# Can not be followed:\n");
    }
    for left in &proposal.left {
        let (name, why) = (in_comment(&left.name), in_comment(&left.why));
        let _ = writeln!(yaml, "#   {name}: {why}  [{}]", left.code);
    }
    if proposal.more > 0 {
        let _ = writeln!(yaml, "\n# {} further tables were not looked at.", proposal.more);
    }
}

/// A text that stays within its comment.
fn in_comment(text: &str) -> String {
    text.chars().map(visible).map(|c| if is_break(c) { '·' } else { c }).collect()
}

fn is_break(c: char) -> bool {
    matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}')
}
