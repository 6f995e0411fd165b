//! PURE: how each column of one side is compared with one of the other.
//!
//! What follows from the columns loses nothing: a text is read as the number that it is compared with,
//! blanks that fill up a column are left out. That a copy holds less than its source is never taken
//! for granted; somebody has to say so.

mod kinds;

use crate::refused::{Refused, Side};
use crate::rule::Rule;
use crate::terms::Terms;
use crate::verdict::{Agreed, Unread};
use kinds::{Taken, taken};
use model::{Code, Column, Fault, Looked, LookedColumn, Table, Wanted};
use std::collections::BTreeSet;
use std::sync::Arc;

/// How two tables are compared.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// The columns that tell rows apart.
    pub(crate) key: Vec<Paired>,
    /// The other columns that are compared.
    pub(crate) columns: Vec<Paired>,
    /// What is to be said about each, the key first.
    pub(crate) agreed: Vec<Agreed>,
    /// Columns that only one side has.
    pub(crate) alone: Vec<(Arc<str>, &'static str)>,
    /// Columns that can not be compared.
    pub(crate) unread: Vec<Unread>,
    /// Whether both stores make the same sums of the same rows.
    pub(crate) has_sums: bool,
    /// Whether the key tells rows apart: at the source, and in the copy.
    pub(crate) is_unique: [bool; 2],
}

/// A column of either side.
#[derive(Clone, Debug)]
pub(crate) struct Paired {
    /// At the source.
    pub(crate) source: Wanted,
    /// In the copy.
    pub(crate) copy: Wanted,
    /// What makes values the same.
    pub(crate) rule: Rule,
}

/// How the tables are compared under these terms.
pub(crate) fn agree(source: &Looked, copy: &Looked, terms: &Terms) -> Result<Agreement, Refused> {
    let both = Both { source, copy, terms };
    both.check_names()?;
    let names = both.key()?;
    both.check_rules(&names)?;
    let mut agreement = Agreement {
        key: Vec::new(),
        columns: Vec::new(),
        agreed: Vec::new(),
        alone: both.alone(),
        unread: Vec::new(),
        has_sums: source.sums.is_some() && source.sums == copy.sums,
        is_unique: [
            is_unique(source, names.iter().map(|name| both.at_source(name))),
            is_unique(copy, names.iter().map(|name| &**name)),
        ],
    };
    for name in &names {
        let pair = both.pair(name)?;
        let taken = pair.taken(true).map_err(|(code, why)| {
            let what = format!("its key has {name}, but {why}; name another with --key");
            let side = if pair.source.1.unreadable.is_some() { Side::Source } else { Side::Copy };
            refused(side, code, what)
        })?;
        agreement.add(&pair, taken, &both, true);
    }
    for name in both.columns(&names) {
        let pair = both.pair(&name)?;
        match pair.taken(false) {
            Ok(taken) => agreement.add(&pair, taken, &both, false),
            Err((code, why)) => agreement.unread.push(Unread {
                what: format!("column {name}"),
                why: Fault::stop(code, format!("{name}: {why}")),
            }),
        }
    }
    Ok(agreement)
}

fn refused(side: Side, code: Code, what: String) -> Refused {
    Refused::Store { side, fault: Fault::stop(code, what) }
}

fn is_unique<'a>(looked: &Looked, key: impl Iterator<Item = &'a str>) -> bool {
    let key: BTreeSet<&str> = key.collect();
    looked.unique.iter().any(|columns| columns.iter().all(|column| key.contains(&**column)))
}

impl Agreement {
    fn add(&mut self, pair: &Pair<'_>, taken: Taken, both: &Both<'_>, is_key: bool) {
        let declared = both.terms.rules.get(&pair.copy.0.name);
        let rule = declared.copied().unwrap_or(taken.rule);
        let wanted = |column: &Column, kind| Wanted { name: Arc::clone(&column.name), kind };
        let [at_source, in_copy] = taken.kinds;
        let is_plain = at_source == pair.source.0.kind && in_copy == pair.copy.0.kind;
        let is_written =
            pair.source.1.written.is_some() && pair.source.1.written == pair.copy.1.written;
        let is_lossless = matches!(rule, Rule::Exact | Rule::Trim | Rule::Worth);
        self.has_sums &= is_plain && is_written && is_lossless;
        self.agreed.push(Agreed {
            copy: Arc::clone(&pair.copy.0.name),
            source: Arc::clone(&pair.source.0.name),
            declared: [Arc::clone(&pair.copy.0.declared), Arc::clone(&pair.source.0.declared)],
            is_key,
            rule,
            is_declared: declared.is_some(),
            note: taken.note,
        });
        let columns = if is_key { &mut self.key } else { &mut self.columns };
        columns.push(Paired {
            source: wanted(pair.source.0, at_source),
            copy: wanted(pair.copy.0, in_copy),
            rule,
        });
    }
}

/// Both tables, and what is asked for.
struct Both<'a> {
    source: &'a Looked,
    copy: &'a Looked,
    terms: &'a Terms,
}

/// A column of the source and one of the copy.
struct Pair<'a> {
    source: (&'a Column, &'a LookedColumn),
    copy: (&'a Column, &'a LookedColumn),
}

impl Pair<'_> {
    fn taken(&self, is_key: bool) -> Result<Taken, (Code, String)> {
        for (side, (_, looked)) in [("source", &self.source), ("copy", &self.copy)] {
            if let Some((code, why)) = &looked.unreadable {
                return Err((*code, format!("at the {side} {why}")));
            }
        }
        taken(self.source, self.copy, is_key).map_err(|why| (Code::ColumnUnlike, why))
    }
}

impl<'a> Both<'a> {
    /// What the source calls a column of the copy.
    fn at_source<'b>(&'b self, name: &'b str) -> &'b str {
        self.terms.map.get(name).map_or(name, |name| name)
    }

    /// What the copy calls a column of the source.
    fn in_copy<'b>(&'b self, name: &'b str) -> &'b str {
        let mapped = self.terms.map.iter().find(|(_, source)| ***source == *name);
        mapped.map_or(name, |(copy, _)| copy)
    }

    /// Names that somebody wrote have to be there.
    fn check_names(&self) -> Result<(), Refused> {
        let Terms { columns, leave_out, key, rules, map, counts, references, .. } = self.terms;
        let asked = columns.iter().chain(key).flatten().chain(rules.keys()).chain(map.keys());
        for name in asked {
            if find(self.copy, name).is_none() {
                return Err(unknown(Side::Copy, name, self.copy));
            }
            if find(self.source, self.at_source(name)).is_none() {
                return Err(unknown(Side::Source, self.at_source(name), self.source));
            }
        }
        let kept = counts.iter().filter_map(|counts| counts.value.as_ref());
        for name in kept.chain(references.iter().map(|refers| &refers.column)) {
            if find(self.copy, name).is_none() {
                return Err(unknown(Side::Copy, name, self.copy));
            }
        }
        for name in leave_out {
            if find(self.copy, name).or(find(self.source, name)).is_none() {
                return Err(unknown(Side::Copy, name, self.copy));
            }
        }
        Ok(())
    }

    /// Rows are looked for by their keys, so nothing but equality makes these the same.
    fn check_rules(&self, key: &[Arc<str>]) -> Result<(), Refused> {
        let is_treated =
            |name: &&Arc<str>| self.terms.rules.get(*name).is_some_and(|rule| *rule != Rule::Exact);
        match key.iter().find(is_treated) {
            None => Ok(()),
            Some(name) => Err(Refused::terms(
                format!("{name} tells rows apart, so it is compared as it is"),
                format!("leave out --treat {name}=…, or name another key with --key"),
            )),
        }
    }

    /// The key, by its names in the copy.
    fn key(&self) -> Result<Vec<Arc<str>>, Refused> {
        if let Some(key) = &self.terms.key {
            return Ok(key.clone());
        }
        let primary = |looked: &'a Looked| {
            let Table { key, columns, .. } = &looked.table;
            key.iter().map(|&place| Arc::clone(&columns[place].name)).collect::<Vec<_>>()
        };
        let of_source = [primary(self.source)].into_iter().chain(self.source.unique.clone());
        let of_source = of_source
            .map(|key| key.iter().map(|name| self.in_copy(name).into()).collect::<Vec<Arc<str>>>());
        let of_copy = [primary(self.copy)].into_iter().chain(self.copy.unique.clone());
        let is_on_both = |key: &Vec<Arc<str>>| {
            let is_there = |name: &Arc<str>| {
                find(self.copy, name).is_some() && find(self.source, self.at_source(name)).is_some()
            };
            !key.is_empty() && key.iter().all(is_there)
        };
        of_source.chain(of_copy).find(is_on_both).ok_or_else(|| {
            let what = format!(
                "{} and {} have no key in common by which their rows could be told apart: name \
                 columns that do with --key",
                self.source.table.name, self.copy.table.name
            );
            refused(Side::Source, Code::TableNoKey, what)
        })
    }

    /// The columns that are compared beside the key, by their names in the copy.
    fn columns(&self, key: &[Arc<str>]) -> Vec<Arc<str>> {
        let is_on_both = |name: &Arc<str>| find(self.source, self.at_source(name)).is_some();
        let all = || self.copy.table.columns.iter().map(|column| Arc::clone(&column.name));
        let asked = match &self.terms.columns {
            Some(asked) => asked.clone(),
            None => all().filter(is_on_both).collect(),
        };
        let is_left_out = |name: &Arc<str>| {
            key.contains(name)
                || self.terms.leave_out.iter().any(|it| it == name || **it == *self.at_source(name))
        };
        let mut seen = BTreeSet::new();
        let asked = asked.into_iter().filter(|name| !is_left_out(name));
        asked.filter(|name| seen.insert(Arc::clone(name))).collect()
    }

    /// Columns that only one side has, if nobody said which are wanted.
    fn alone(&self) -> Vec<(Arc<str>, &'static str)> {
        if self.terms.columns.is_some() {
            return Vec::new();
        }
        let names = |looked: &'a Looked| looked.table.columns.iter().map(|it| &it.name);
        let is_left_out = |name: &&Arc<str>| self.terms.leave_out.contains(name);
        let of_copy = names(self.copy)
            .filter(|name| find(self.source, self.at_source(name)).is_none())
            .map(|name| (name, "copy"));
        let of_source = names(self.source)
            .filter(|name| find(self.copy, self.in_copy(name)).is_none())
            .map(|name| (name, "source"));
        let alone = of_copy.chain(of_source).filter(|(name, _)| !is_left_out(name));
        alone.map(|(name, side)| (Arc::clone(name), side)).collect()
    }

    fn pair(&self, name: &str) -> Result<Pair<'a>, Refused> {
        let copy = find(self.copy, name).ok_or_else(|| unknown(Side::Copy, name, self.copy))?;
        let name = self.at_source(name);
        let source =
            find(self.source, name).ok_or_else(|| unknown(Side::Source, name, self.source))?;
        Ok(Pair { source, copy })
    }
}

fn find<'a>(looked: &'a Looked, name: &str) -> Option<(&'a Column, &'a LookedColumn)> {
    let place = looked.table.columns.iter().position(|column| *column.name == *name)?;
    Some((&looked.table.columns[place], looked.columns.get(place)?))
}

fn unknown(side: Side, name: &str, looked: &Looked) -> Refused {
    let names: Vec<&str> = looked.table.columns.iter().map(|it| &*it.name).collect();
    let at = match side {
        Side::Source => "at the source",
        Side::Copy => "in the copy",
    };
    let what = format!("{} has no column {name} {at}", looked.table.name);
    Refused::terms(what, format!("its columns are {}", names.join(", ")))
}
