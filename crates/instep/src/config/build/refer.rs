//! Names: what a configuration defines, and what refers to it.

use crate::config::forms;
use crate::config::setting::{Setting, Value};
use crate::config::span::Span;
use crate::config::trouble::Trouble;
use crate::suggest;
use model::{Code, TableName};

/// The names that a configuration defines, also where their own entry is wrong.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    root: &'a Setting,
}

impl<'a> Names<'a> {
    pub(super) fn of(root: &'a Setting) -> Self {
        Self { root }
    }

    /// Refuses a service that is not defined; the setting names it, alone or before a table.
    pub(super) fn service(
        self,
        setting: &Setting,
        name: Option<&str>,
        troubles: &mut Vec<Trouble>,
    ) -> Option<()> {
        let name = name?;
        let known = self.defined("services");
        if known.clone().any(|known| known == name) {
            return Some(());
        }
        let what = format!("there is no service `{name}`");
        let why = "every database has its address under `services`";
        let span = part(setting, 0, name);
        troubles.push(Trouble::new(
            Code::ConfigReference,
            span,
            what,
            why,
            suggest::fix(name, known),
        ));
        None
    }

    /// The source and its table that are named by `SOURCE/TABLE`.
    pub(super) fn table_of(
        self,
        of: &Setting,
        troubles: &mut Vec<Trouble>,
    ) -> Option<(String, TableName)> {
        let (source, table) = forms::reference(of.text()?)?;
        let known = self.defined("sources");
        if !known.clone().any(|known| known == source) {
            let what = format!("there is no source `{source}`");
            let why = "`of` names a source from `sources`, and one of its tables";
            let (span, fix) = (part(of, 0, source), suggest::fix(source, known));
            troubles.push(Trouble::new(Code::ConfigReference, span, what, why, fix));
            return None;
        }
        let tables = self.source(source)?.get("tables")?;
        if matches!(tables.value, Value::Bad) {
            return None;
        }
        let known = tables.items().iter().filter_map(Setting::text).chain(self.kinds(source));
        if !known.clone().any(|known| known == table) {
            let what = format!("the source `{source}` does not follow a table `{table}`");
            let why =
                "only what stands under its `tables`, and the kinds of its outbox, are followed";
            let (span, fix) = (part(of, source.len() + 1, table), suggest::fix(table, known));
            troubles.push(Trouble::new(Code::ConfigReference, span, what, why, fix));
            return None;
        }
        Some((source.to_owned(), table.into()))
    }

    /// The services of a source.
    pub(super) fn services(self, source: &str) -> impl Iterator<Item = &'a str> {
        let from = self.source(source).and_then(|source| source.get("from"));
        from.map_or(&[][..], Setting::items).iter().filter_map(Setting::text)
    }

    /// The kinds of a source's outbox.
    pub(super) fn kinds(self, source: &str) -> impl Iterator<Item = &'a str> + Clone {
        let kinds = self.source(source).and_then(|source| source.find("outbox.kinds"));
        kinds.map_or(&[][..], Setting::items).iter().filter_map(Setting::text)
    }

    /// The table that rows are read from: that of a kind is the outbox.
    pub(super) fn read_from(self, source: &str, table: &'a str) -> &'a str {
        let outbox = self.source(source).and_then(|source| source.find("outbox.table"));
        let outbox = outbox.and_then(Setting::text);
        outbox.filter(|_| self.kinds(source).any(|kind| kind == table)).unwrap_or(table)
    }

    /// Whether rows of one key in two shards of a source are two rows.
    pub(super) fn has_shard_in_key(self, source: &str) -> Option<bool> {
        self.source(source)?.get("shard_in_key")?.flag()
    }

    fn source(self, name: &str) -> Option<&'a Setting> {
        self.root.get("sources")?.get(name)
    }

    fn defined(self, kind: &str) -> impl Iterator<Item = &'a str> + Clone {
        let entries = self.root.get(kind).map_or(&[][..], Setting::entries);
        entries.iter().map(|entry| entry.name.as_str())
    }
}

/// Where a part of a text stands, that begins at a byte of it.
fn part(setting: &Setting, at: usize, part: &str) -> Span {
    match &setting.value {
        Value::Text(text, Some(start)) => {
            Span::of(start.after(text.get(..at).unwrap_or_default()), part)
        }
        _ => setting.span,
    }
}
