//! PURE: whether a table can be followed, and what it looks like then.

use super::described::{Described, DescribedColumn, Leaf, Order};
use super::facts::{ColumnFacts, Facts, LeafFacts, Relation};
use super::unfit::{Unfit, Why};
use super::{key, texts, version};
use crate::postgres::pgoutput::ReplicaIdentity;
use crate::postgres::types::Types;
use model::{Column, Table, TableName};
use std::sync::Arc;

/// What the table looks like, or why it cannot be followed.
pub(super) fn judge(
    name: &TableName,
    facts: Option<Facts>,
    types: &Types,
) -> Result<Described, Unfit> {
    let described = facts.ok_or(Why::Missing).and_then(|facts| describe(name, &facts, types));
    described.map_err(|why| Unfit { table: name.clone(), why })
}

fn describe(name: &TableName, facts: &Facts, types: &Types) -> Result<Described, Why> {
    check_kind(facts)?;
    let names = key::of(facts.relation.identity, &facts.indexes_of(facts.oid));
    let names = names.map_err(Why::NoKey)?;
    let (mut columns, mut described) = (Vec::new(), Vec::new());
    for (&number, column) in facts.columns.iter().filter(|(_, column)| !column.is_generated) {
        let form = types.get(column.kind).ok_or(Why::NewType)?.form.clone();
        columns.push(Column {
            name: column.name.as_str().into(),
            kind: form.kind(),
            declared: column.declared.as_str().into(),
            nullable: !column.is_not_null,
            compares: texts::compares(column, &form),
        });
        let order = texts::order(column, &form, &facts.encoding);
        let ColumnFacts { kind, modifier, .. } = *column;
        described.push(DescribedColumn { number, kind, modifier, form, order });
    }
    let mut key = Vec::with_capacity(names.len());
    for name in &names {
        let place = columns.iter().position(|column: &Column| *column.name == **name);
        let place = place.ok_or_else(|| unsuitable(format!("its key has {name}, {GENERATED}")))?;
        if let Order::Unlike(why) = described[place].order {
            return Err(unsuitable(format!("its key has {name}, but {why}; {OTHER_KEY}")));
        }
        key.push(place);
    }
    let leaves = facts.leaves.iter().map(|(&oid, leaf)| judge_leaf(facts, &names, oid, leaf));
    let version = version::of(facts.version, &columns, &key);
    Ok(Described {
        leaves: leaves.collect::<Result<_, _>>()?,
        table: Arc::new(Table { name: name.clone(), version, columns, key }),
        oid: facts.oid,
        identity: facts.relation.identity,
        columns: described,
        is_partitioned: facts.relation.kind == 'p',
    })
}

const GENERATED: &str = "which is generated, so that changes come without it; choose another key";
const OTHER_KEY: &str = "choose another key by `alter table … replica identity using index …`";

fn unsuitable(why: impl Into<String>) -> Why {
    Why::Unsuitable(why.into())
}

fn check_kind(facts: &Facts) -> Result<(), Why> {
    if facts.is_system {
        return Err(unsuitable("it is one of the server's own, which are not published"));
    }
    if let Some(whole) = &facts.partition_of {
        return Err(unsuitable(format!("it is a partition; follow {whole}, of which it is one")));
    }
    let why = match (facts.relation.kind, facts.relation.persistence) {
        ('r' | 'p', 'p') => return Ok(()),
        ('r' | 'p', _) => return Err(unsuitable(not_logged(facts.relation))),
        ('v', _) => "it is a view, which has no rows of its own; follow the tables underneath",
        ('m', _) => {
            "it is a materialized view, whose changes are not published; follow the tables \
                     underneath"
        }
        ('f', _) => "it is a foreign table; follow it at the server that has its rows",
        ('S', _) => "it is a sequence, which has no rows",
        _ => "it is no table",
    };
    Err(unsuitable(why))
}

fn not_logged(relation: Relation) -> &'static str {
    match relation.persistence {
        't' => "it is temporary, so that only its own session sees it",
        _ => {
            "it is unlogged, so that its changes are not in the write-ahead log; `alter table … \
              set logged` mends that"
        }
    }
}

/// What the stream says about a row as it was is up to the leaf that it was in.
fn judge_leaf(facts: &Facts, key: &[String], oid: u32, leaf: &LeafFacts) -> Result<Leaf, Why> {
    let LeafFacts { name, file, relation, attached, changed_by, is_born } = leaf;
    match (relation.kind, relation.persistence) {
        ('r', 'p') => {}
        ('r', _) => {
            return Err(unsuitable(format!("of its partition {name}: {}", {
                not_logged(*relation)
            })));
        }
        _ => return Err(unsuitable(format!("its partition {name} is no table of this server"))),
    }
    if relation.identity != ReplicaIdentity::Full {
        let of_leaf = key::of(relation.identity, &facts.indexes_of(oid));
        let of_leaf =
            of_leaf.map_err(|why| Why::NoKey(format!("has a partition {name} that {why}")))?;
        if !key.iter().all(|column| of_leaf.contains(column)) {
            let why = format!(
                "has a partition {name} whose replica identity does not have the columns of its key \
                 ({}): `alter table {name} replica identity default`",
                key.join(", ")
            );
            return Err(Why::NoKey(why));
        }
    }
    let (name, identity) = (name.as_str().into(), relation.identity);
    let (file, attached, changed_by, is_born) = (*file, *attached, *changed_by, *is_born);
    Ok(Leaf { oid, name, file, attached, changed_by, is_born, identity })
}
