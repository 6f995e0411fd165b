//! PURE: how the rows of a source table lie in the table of a copy.
//!
//! A source column that the table lacks is left out until somebody adds it there; one that the
//! configuration names, or that belongs to the key, has to be there.

use super::fits;
use super::shape::{Shape, UniqueIndex};
use crate::copy::CopyTo;
use crate::postgres::quote;
use crate::postgres::schema::{ColumnFacts, Order, order};
use crate::postgres::types::{Form, Types};
use model::{Kind, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How the rows of a table lie in a copy's.
#[derive(Debug)]
pub(super) struct Layout {
    /// The source's table.
    pub(super) table: Arc<Table>,
    /// The server's number of the copy's table; one that is made anew has another.
    pub(super) relation: u32,
    /// The copy's table, as it is.
    pub(super) shown: String,
    /// The same as SQL.
    pub(super) name: String,
    /// The same without tables that inherit from it.
    pub(super) only: String,
    /// The source columns that it has, in their order.
    pub(super) columns: Vec<Held>,
    /// Which of them make the key, in key order.
    pub(super) key: Vec<usize>,
    /// The index that keeps the key.
    pub(super) key_index: String,
    /// The column of the row's lane, quoted, where it has one.
    pub(super) shard: Option<String>,
    /// Whether that lane is part of the key.
    pub(super) shard_in_key: bool,
    /// Other indexes that let no two rows be equal.
    pub(super) unique: BTreeMap<String, UniqueIndex>,
    /// Every column of the table, quoted.
    pub(super) all: Vec<String>,
    /// The tables that its rows refer to, by their names.
    pub(super) refers: Vec<String>,
    /// Whether rows of others refer to its own.
    pub(super) is_referred_to: bool,
    /// Whether triggers of the user run.
    pub(super) has_triggers: bool,
    /// Whether rows can be taken in bulk.
    pub(super) takes_bulk: bool,
    /// Whether it may be emptied as a whole.
    pub(super) may_truncate: bool,
    /// Whether the table numbers a column of the key itself unless it is told not to.
    pub(super) overrides: bool,
    /// Whether constraints of its own, or on its rows, can wait for the end of a transaction.
    pub(super) has_deferrable: bool,
}

/// A source column that the copy has.
#[derive(Debug)]
pub(super) struct Held {
    /// Its place in the source's rows.
    pub(super) place: usize,
    /// Its name here, as it is.
    pub(super) bare: String,
    /// Its name here, quoted.
    pub(super) name: String,
    /// What the source keeps in it.
    pub(super) kind: Kind,
    /// What this column keeps.
    pub(super) form: Form,
    /// Its type here, as SQL and without what stands in brackets.
    pub(super) cast: String,
    /// What writes it here, which tells apart what is text to us.
    pub(super) output: String,
    /// How many letters a text may have here, where that is bounded.
    pub(super) letters_max: Option<usize>,
    /// How the server is asked for our order of it.
    pub(super) order: Order,
    /// Whether it is part of the key.
    pub(super) is_key: bool,
    /// Whether the table numbers it itself: what is told otherwise is taken once, and never changed.
    pub(super) is_numbered: bool,
    /// Whether it may not be NULL here.
    pub(super) not_null: bool,
    /// Whether it is made by the table itself, so that it is read and never written.
    pub(super) is_generated: bool,
}

impl Layout {
    /// The layout, or why there is none.
    pub(super) fn new(
        copy: &CopyTo,
        table: &Arc<Table>,
        shape: &Shape,
        types: &Types,
    ) -> Result<Self, String> {
        let traits = &shape.traits;
        match shape.facts.relation.kind {
            'r' | 'p' if shape.facts.is_system => return Err("it is the server's own".into()),
            'r' | 'p' if traits.has_rules => {
                return Err("it has rules, which rewrite what is asked of it".into());
            }
            'r' | 'p' => {}
            _ => return Err("it is no plain table".into()),
        }
        let columns = held(copy, table, shape, types)?;
        let (key, key_index) = key(copy, table, shape, &columns)?;
        check_others(copy, shape, &columns)?;
        let shard = match &copy.shard_column {
            None => None,
            Some(shard) if shape.column(shard).is_some() => Some(quote::name(shard)),
            Some(shard) => return Err(format!("it has no column {shard}, its shard_column")),
        };
        let (schema, bare) = copy.table.split_once('.').unwrap_or_default();
        let name = format!("{}.{}", quote::name(schema), quote::name(bare));
        let is_partitioned = shape.facts.relation.kind == 'p';
        let only = if is_partitioned { name.clone() } else { format!("only {name}") };
        let others = shape.unique.iter().filter(|(index, _)| **index != key_index);
        Ok(Self {
            table: Arc::clone(table),
            relation: shape.facts.oid,
            shown: copy.table.to_string(),
            only,
            name,
            overrides: columns.iter().any(|held| held.is_numbered),
            key,
            shard_in_key: copy.shard_in_key && shard.is_some(),
            shard,
            unique: others.map(|(name, index)| (name.clone(), index.clone())).collect(),
            all: shape.columns().map(|(column, _)| quote::name(&column.name)).collect(),
            columns,
            key_index,
            refers: shape.refers.clone(),
            is_referred_to: traits.is_referred_to,
            has_triggers: traits.has_triggers,
            takes_bulk: !traits.has_policies,
            may_truncate: traits.may_truncate && !traits.is_referred_to && !traits.has_triggers,
            has_deferrable: traits.has_deferrable,
        })
    }

    /// The columns that are written, with their places among the columns.
    pub(super) fn written(&self) -> impl Iterator<Item = (usize, &Held)> {
        self.columns.iter().enumerate().filter(|(_, held)| !held.is_generated)
    }

    /// The columns of the key, in key order.
    pub(super) fn key_columns(&self) -> impl Iterator<Item = &Held> {
        self.key.iter().map(|&at| &self.columns[at])
    }
}

/// The source columns that the table has. A name that the configuration gives to one source column
/// is not another's own.
fn held(copy: &CopyTo, table: &Table, shape: &Shape, types: &Types) -> Result<Vec<Held>, String> {
    for (to, from) in &copy.fields {
        if shape.column(to).is_none() {
            return Err(format!("it has no column {to}, which fields name"));
        }
        if !table.columns.iter().any(|column| column.name == *from) {
            return Err(format!("{} has no column {from}, which fields name", table.name));
        }
    }
    let mut columns = Vec::new();
    for (place, column) in table.columns.iter().enumerate() {
        let name = copy.renamed(&column.name);
        let is_anothers = *name == *column.name
            && copy.fields.iter().any(|(to, from)| **to == *name && *from != column.name);
        let Some((found, traits)) = shape.column(name).filter(|_| !is_anothers) else { continue };
        if copy.shard_column.as_deref() == Some(name) {
            return Err(format!("its shard_column {name} is a column of {} as well", table.name));
        }
        let form = types.get(found.kind).map_or(Form::Text, |known| known.form.clone());
        let is_key = table.key.contains(&place);
        if !found.is_generated {
            fits::check(column, is_key, (found, traits), &form)?;
            if traits.is_always_numbered && !is_key {
                return Err(numbered(name));
            }
        }
        columns.push(Held {
            place,
            bare: found.name.clone(),
            name: quote::name(&found.name),
            kind: column.kind,
            cast: traits.cast.clone(),
            output: found.output.clone(),
            letters_max: match &*found.output {
                // The server counts four bytes more, of the length itself.
                "varcharout" => usize::try_from(traits.modifier - 4).ok(),
                _ => None,
            },
            order: order(found, &form, &shape.facts.encoding),
            form,
            is_key,
            is_numbered: traits.is_always_numbered,
            not_null: found.is_not_null,
            is_generated: found.is_generated,
        });
    }
    match &columns[..] {
        [only] if only.is_numbered => Err(numbered(&only.bare)),
        _ => Ok(columns),
    }
}

fn numbered(name: &str) -> String {
    format!(
        "its column {name} is `generated always as identity`, and no copy can keep it: `alter table \
         … alter {name} set generated by default`"
    )
}

/// Which columns make the key, and the index that keeps it unique, byte for byte.
fn key(
    copy: &CopyTo,
    table: &Table,
    shape: &Shape,
    columns: &[Held],
) -> Result<(Vec<usize>, String), String> {
    let mut key = Vec::new();
    for &place in &table.key {
        let name = copy.renamed(&table.columns[place].name);
        let at = columns.iter().position(|held| held.place == place && !held.is_generated);
        key.push(at.ok_or_else(|| format!("it has no column {name}, which is part of the key"))?);
    }
    let names = key.iter().map(|&at| columns[at].bare.as_str());
    let names: Vec<_> =
        names.chain(copy.shard_column.as_deref().filter(|_| copy.shard_in_key)).collect();
    let may_be_null = |name: &&str| shape.column(name).is_some_and(|(it, _)| !it.is_not_null);
    let may_be_null = names.iter().any(may_be_null);
    let list = names.join(", ");
    match shape.key_over(&names) {
        Some((index, unique)) if unique.nulls_are_equal || !may_be_null => Ok((key, index.clone())),
        Some(_) => Err(format!(
            "its key ({list}) may be NULL, and its unique index takes NULLs for different: make it \
             `unique nulls not distinct ({list})`, or the columns NOT NULL"
        )),
        None => Err(format!(
            "it has no primary key and no unique index over exactly ({list}), whole, over every row \
             and not deferrable"
        )),
    }
}

/// Columns that nobody writes have to fill themselves.
fn check_others(copy: &CopyTo, shape: &Shape, columns: &[Held]) -> Result<(), String> {
    let is_written = |column: &ColumnFacts| {
        columns.iter().any(|held| held.bare == column.name)
            || copy.shard_column.as_deref() == Some(column.name.as_str())
    };
    let needs = shape.columns().filter(|(column, traits)| {
        !traits.fills_itself && !column.is_generated && !is_written(column)
    });
    let needs: Vec<_> = needs.map(|(column, _)| column.name.as_str()).collect();
    match needs.is_empty() {
        true => Ok(()),
        false => {
            let names = needs.join(", ");
            Err(format!("the source has nothing for {names}, which may not be NULL"))
        }
    }
}
