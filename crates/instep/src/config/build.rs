//! Builds a [`Config`] from settings: whatever is named has to exist, and to fit what names it.
//!
//! Invariant: what could not be read is passed over in silence, because trouble has been said of it;
//! names count as defined even where their own entry is wrong.

mod book;
mod bounds;
mod listening;
mod outbox;
mod refer;
mod together;

use super::flows::{self, Flow, Spot};
use super::forms;
use super::setting::{Entry, Setting, Value};
use super::span::{Mark, Span};
use super::surroundings::Surroundings;
use super::tables;
use super::trouble::Trouble;
use super::types::{Capture, Config, Copy, Count, ServiceKind, Source, TableAt};
use crate::quote::quoted;
use book::Book;
use connectors::postgres::Outbox;
use engine::WhenFull;
use engine::count::Condition;
use listening::listening;
use model::{Code, TableName};
use refer::Names;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use together::Together;

/// The configuration, if nothing stands against it, and what does.
pub(super) fn build(root: &Setting, around: &Surroundings) -> (Option<Config>, Vec<Trouble>) {
    let mut troubles = Vec::new();
    let book = Book::read(root, around, &mut troubles);
    let names = Names::of(root);
    let mut builder = Builder {
        root,
        around,
        names,
        book,
        troubles,
        flows: Vec::new(),
        together: Together::default(),
    };
    let config = builder.config();
    let flows = flows::check(&builder.flows);
    // Of a target that has a fault of its own, no more is said.
    let is_new = |trouble: &Trouble| flows.iter().all(|it| it.span != trouble.span);
    let apart: Vec<_> = builder.together.into_troubles().into_iter().filter(is_new).collect();
    builder.troubles.extend(flows.into_iter().chain(apart));
    let services = builder.book.into_services();
    (config.map(|config| Config { services, ..config }), builder.troubles)
}

struct Builder<'a> {
    root: &'a Setting,
    around: &'a Surroundings,
    names: Names<'a>,
    book: Book,
    troubles: Vec<Trouble>,
    /// How rows flow, in the order in which it is written.
    flows: Vec<Flow>,
    together: Together,
}

impl<'a> Builder<'a> {
    fn config(&mut self) -> Option<Config> {
        let root = self.root;
        let (sources, copies, counts) = (self.sources(), self.copies(), self.counts());
        let listening = listening(root, self.around, &mut self.troubles);
        let full = root.get("when_full").and_then(Setting::text);
        bounds::check(root.get("limits")?, &mut self.troubles);
        let (limits, journal, part_bytes_max) = bounds::bounds(root.get("limits")?)?;
        let (listen, tls, tokens) = listening?;
        Some(Config {
            data_dir: self.around.path(root.get("data_dir")?.text()?),
            listen,
            tls,
            tokens,
            services: BTreeMap::new(),
            sources,
            copies,
            counts,
            when_full: if full == Some("wait") { WhenFull::Wait } else { WhenFull::Detach },
            limits,
            journal,
            part_bytes_max,
            slot_wal_bytes_max: root.find("limits.slot_wal_bytes_max")?.whole()?,
        })
    }

    fn entries(&self, kind: &str) -> &'a [Entry] {
        self.root.get(kind).map_or(&[], Setting::entries)
    }

    fn sources(&mut self) -> Vec<Source> {
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        self.entries("sources").iter().filter_map(|entry| self.source(entry, &mut owners)).collect()
    }

    fn source(&mut self, entry: &Entry, owners: &mut BTreeMap<String, String>) -> Option<Source> {
        let path = format!("sources.{}", entry.name);
        let from = entry.setting.get("from")?;
        // Those that are named twice in a list have been refused by the reader.
        let mut named = BTreeSet::new();
        for service in from.items().iter().filter(|item| named.insert(item.text())) {
            self.names.service(service, service.text(), &mut self.troubles);
            let places = service.text().map(|name| self.book.places(name)).unwrap_or_default();
            let own = |place| owners.insert(place, path.clone());
            // Every place is noted, and one that is taken is enough.
            let taken = places.into_iter().filter_map(own).last();
            if let Some(owner) = taken {
                let what = format!("`{path}` reads a database that `{owner}` reads");
                let why = "each would take away the changes that the other has yet to read";
                let fix = "name all tables of a database in one source";
                self.trouble(Code::ConfigDuplicate, service.span, what, why, fix);
            }
        }
        let kind = self.kind_of(from);
        let tables = entry.setting.get("tables")?;
        self.check_some(from, &format!("{path}.from"));
        let outbox = entry.setting.get("outbox");
        if outbox.is_none() {
            self.check_some(tables, &format!("{path}.tables"));
        }
        // Those that are spelt alike have been refused by the reader.
        let mut spelt = BTreeSet::new();
        let named = tables.items().iter().filter_map(|table| Some((table.text()?, table.span)));
        if kind == Some(ServiceKind::Sqlite) {
            let named = named.filter(|(name, _)| spelt.insert(*name));
            self.check_spellings(ServiceKind::Sqlite, named);
        }
        for table in tables.items() {
            self.check_table(kind, table.text(), table.span);
        }
        let outbox = match outbox {
            Some(setting) => Some(self.outbox(setting, kind, entry, &path)?),
            None => None,
        };
        let texts = |list: &Setting| {
            list.items().iter().map(|item| item.text().map(str::to_owned)).collect()
        };
        let (services, tables): (Option<Vec<_>>, Option<Vec<_>>) = (texts(from), texts(tables));
        Some(Source {
            name: entry.name.clone(),
            services: services?,
            tables: tables?.iter().map(|table| TableName::from(table.as_str())).collect(),
            outbox,
            shard_in_key: entry.setting.get("shard_in_key")?.flag()?,
            capture: self.capture(entry, kind)?,
        })
    }

    /// How changes are found. A SQLite file knows one way alone.
    fn capture(&mut self, entry: &Entry, kind: Option<ServiceKind>) -> Option<Capture> {
        let capture = entry.setting.get("capture")?;
        if capture.text()? != "triggers" {
            return Some(Capture::Log);
        }
        if kind == Some(ServiceKind::Sqlite) {
            let what = format!("`sources.{}.capture` is of no use", entry.name);
            let why = "only a PostgreSQL has two ways to be followed";
            self.trouble(Code::ConfigType, capture.span, what, why, "remove it");
        }
        Some(Capture::Triggers)
    }

    /// The outbox of a source.
    fn outbox(
        &mut self,
        setting: &Setting,
        kind: Option<ServiceKind>,
        entry: &Entry,
        path: &str,
    ) -> Option<Outbox> {
        if let (Some(table), Some(ServiceKind::Postgres)) = (setting.get("table"), kind) {
            self.check_table(kind, table.text(), table.span);
        }
        if let Some(kinds) = setting.get("kinds") {
            self.check_some(kinds, &format!("{path}.outbox.kinds"));
        }
        outbox::read(setting, kind, &entry.setting, &mut self.troubles)
    }

    /// What kind of database a source is; its shards are all of one.
    fn kind_of(&mut self, from: &Setting) -> Option<ServiceKind> {
        let kinds = from.items().iter().filter_map(|it| Some((it, self.book.kind(it.text()?)?)));
        let kinds: Vec<_> = kinds.collect();
        let (_, first) = *kinds.first()?;
        if let Some((other, _)) = kinds.iter().find(|(_, kind)| *kind != first) {
            let what = "the services of a source are of two kinds";
            let why = "a SQLite file and a PostgreSQL database name their tables differently, so \
                       they can not be shards of one source";
            self.trouble(Code::ConfigType, other.span, what, why, "make two sources of them");
            return None;
        }
        Some(first)
    }

    /// A table is called as the kind of its service wants it.
    fn check_table(&mut self, kind: Option<ServiceKind>, table: Option<&str>, span: Span) {
        let (Some(kind), Some(table)) = (kind, table) else { return };
        if let Err(misfit) = tables::check(kind, table) {
            let what = format!("{} {}", quoted(table), misfit.what);
            let why = "a table is followed and written under one name alone";
            self.trouble(misfit.code, span, what, why, misfit.fix);
        }
    }

    fn copies(&mut self) -> Vec<Copy> {
        self.entries("copies").iter().filter_map(|entry| self.copy(entry)).collect()
    }

    fn copy(&mut self, entry: &'a Entry) -> Option<Copy> {
        let (path, copy) = (format!("copies.{}", entry.name), &entry.setting);
        let of = copy.get("of").and_then(|of| self.names.table_of(of, &mut self.troubles));
        let to = copy.get("to").and_then(|to| self.target(to, copy.get("of"), &path));
        let fields = copy.get("fields")?;
        let shard = copy.get("shard_column");
        let columns = fields.entries().iter().map(|field| (field.name.as_str(), field.at));
        let shard_too = shard.and_then(|shard| Some((shard.text()?, shard.span)));
        if let Some(kind) = to.as_ref().and_then(|to| self.book.kind(&to.service)) {
            self.check_spellings(kind, columns.chain(shard_too));
        }
        let (source, table) = of?;
        self.check_shard(entry, &source, shard);
        if let (Some(to), Some(at)) = (&to, copy.get("to")) {
            let place = self.book.places(&to.service).pop_first();
            let reached = place.map(|place| (to.service.as_str(), place));
            if let Some(reached) = reached {
                self.together.add((&path, at.span), &source, reached);
            }
        }
        let shard_in_key = self.names.has_shard_in_key(&source)?;
        let field = |field: &Entry| Some((field.name.clone(), field.setting.text()?.to_owned()));
        Some(Copy {
            name: entry.name.as_str().into(),
            source,
            table,
            to: to?,
            fields: fields.entries().iter().map(field).collect::<Option<_>>()?,
            create: copy.get("create")?.flag()?,
            shard_column: shard.and_then(Setting::text).map(str::to_owned),
            shard_in_key,
        })
    }

    /// A copy names its shard column exactly where its source has shards.
    fn check_shard(&mut self, entry: &Entry, source: &str, shard: Option<&Setting>) {
        let shards = self.names.services(source).count();
        let path = format!("copies.{}", entry.name);
        match shard {
            None if shards > 1 => {
                let what = format!("`{path}` has no `shard_column`");
                let why = format!(
                    "its source `{source}` has {shards} shards, and each row must say whose it is"
                );
                let fix = "add `shard_column:` with a column of the target for that";
                self.trouble(Code::ConfigShard, entry.at, what, why, fix);
            }
            Some(shard) if shards == 1 => {
                let what = format!("`{path}` has a `shard_column`");
                let why = format!("its source `{source}` has one service, and so no shards");
                self.trouble(Code::ConfigShard, shard.span, what, why, "remove it");
            }
            _ => {}
        }
    }

    fn counts(&mut self) -> Vec<Count> {
        self.entries("counts").iter().filter_map(|entry| self.count(entry)).collect()
    }

    fn count(&mut self, entry: &'a Entry) -> Option<Count> {
        let (path, count) = (format!("counts.{}", entry.name), &entry.setting);
        let of = count.get("of").and_then(|of| self.names.table_of(of, &mut self.troubles));
        let of = of.filter(|(source, table)| {
            !outbox::refuse_count(self.names, (source, table), count, &path, &mut self.troubles)
        });
        let (by, pushed) = (count.get("by")?, count.get("to")?);
        let to: Option<Vec<TableAt>> =
            pushed.items().iter().map(|to| self.target(to, count.get("of"), &path)).collect();
        for column in by.items() {
            self.check_group(column, !pushed.items().is_empty());
        }
        let condition = match count.get("where") {
            Some(setting) => Some(self.condition(setting, &path)?),
            None => None,
        };
        let ((source, of), by) = (of?, by.items().iter().map(|by| by.text().map(Arc::from)));
        let name = entry.name.as_str().into();
        let definition =
            engine::count::Count { name, of, by: by.collect::<Option<_>>()?, condition };
        Some(Count { source, definition, to: to? })
    }

    /// A column to group by is asked for by its name, beside words of the API's own.
    fn check_group(&mut self, column: &Setting, pushed: bool) {
        let Some(name) = column.text() else {
            return;
        };
        let Some(why) = forms::reserved_for_groups(name, pushed) else {
            return;
        };
        let what = format!("`{name}` is reserved and can not be grouped by");
        self.trouble(Code::ConfigName, column.span, what, why, "group by a column of another name");
    }

    fn condition(&mut self, setting: &Setting, path: &str) -> Option<Condition> {
        let Value::Text(text, start) = &setting.value else {
            return None;
        };
        let fault = match Condition::parse(text) {
            Ok(condition) => return Some(condition),
            Err(fault) => fault,
        };
        let (before, rest) = text.split_at_checked(fault.at).unwrap_or((text, ""));
        let width = rest.chars().next().map_or(0, char::len_utf8);
        let exact = |start: Mark| Span::of(start.after(before), &rest[..width]);
        let what = format!("`{path}.where` can not be read: {}", fault.what);
        let why = format!("reading stops at byte {} of the condition", fault.at);
        let span = start.map_or(setting.span, exact);
        self.trouble(Code::ConfigWhere, span, what, why, fault.fix);
        None
    }

    /// The table that a copy or count writes, and how rows flow to it.
    fn target(&mut self, to: &Setting, of: Option<&'a Setting>, path: &str) -> Option<TableAt> {
        let (service, table) = forms::reference(to.text()?)?;
        self.names.service(to, Some(service), &mut self.troubles)?;
        let kind = self.book.kind(service);
        self.check_table(kind, Some(table), to.span);
        let spot = |service: &str, table: &str| self.book.spot(service, table);
        let from: Vec<Spot> = match of.and_then(Setting::text).and_then(forms::reference) {
            Some((source, table)) => {
                let table = self.names.read_from(source, table);
                self.names.services(source).filter_map(|service| spot(service, table)).collect()
            }
            None => Vec::new(),
        };
        if let Some(to_spot) = spot(service, table) {
            self.flows.push(Flow { name: path.to_owned(), span: to.span, from, to: to_spot });
        }
        Some(TableAt { service: service.to_owned(), table: table.to_owned() })
    }

    /// A list that says nothing when it is empty.
    fn check_some(&mut self, list: &Setting, path: &str) {
        if matches!(&list.value, Value::List(items) if items.is_empty()) {
            let what = format!("`{path}` is empty");
            let why = "a source without it brings nothing";
            self.trouble(Code::ConfigType, list.span, what, why, "name at least one");
        }
    }

    /// Names that a database of this kind takes for one.
    fn check_spellings<'n>(
        &mut self,
        kind: ServiceKind,
        names: impl Iterator<Item = (&'n str, Span)>,
    ) {
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (name, span) in names {
            let Some(first) = seen.insert(kind.told_apart(name), name) else { continue };
            let (what, why) = match first == name {
                true => (format!("`{name}` is named twice"), "a column holds one thing alone"),
                false => (
                    format!("`{name}` and `{first}` are one name to the database"),
                    "it does not tell capitals from small letters in names",
                ),
            };
            self.trouble(Code::ConfigDuplicate, span, what, why, "keep one of them");
        }
    }

    fn trouble(
        &mut self,
        code: Code,
        span: Span,
        what: impl Into<Box<str>>,
        why: impl Into<Box<str>>,
        fix: impl Into<Box<str>>,
    ) {
        self.troubles.push(Trouble::new(code, span, what, why, fix));
    }
}
