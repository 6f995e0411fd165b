//! A random table, the same on both sides but for how each store declares it.

use super::cell::{Cell, TYPES, Type, literal, uuid};
use super::store::Kind;
use crate::rig::Chance;

/// A table.
#[derive(Clone, Debug)]
pub(super) struct Schema {
    /// The columns of the key, and then the others.
    pub(super) columns: Vec<(String, Type)>,
    /// How many columns the key has.
    pub(super) keys: usize,
    /// In which order PostgreSQL sorts the texts of the key.
    collation: &'static str,
}

/// Names that no statement may stumble over.
const NAMES: [&str; 8] = ["select", "it's", "Größe", "a b", "x", "\"q\"", "order", "Body"];

impl Schema {
    /// Some table.
    pub(super) fn new(chance: &mut Chance) -> Self {
        const KEYS: [&[Type]; 5] = [
            &[Type::Int],
            &[Type::Text],
            &[Type::Uuid],
            &[Type::Text, Type::Int],
            &[Type::Int, Type::Text],
        ];
        let keys = *chance.one(&KEYS);
        let mut columns: Vec<(String, Type)> =
            keys.iter().enumerate().map(|(at, of)| (format!("k{at}"), *of)).collect();
        // One whose values can cancel each other out in a sum.
        columns.push(("n".to_owned(), Type::Int));
        for at in 0..1 + chance.below(6) {
            let name = format!("{}{at}", chance.one(&NAMES));
            columns.push((name, *chance.one(&TYPES)));
        }
        let collation = *chance.one(&["", " collate \"C\"", " collate \"en-x-icu\""]);
        Self { columns, keys: keys.len(), collation }
    }

    /// The key of this number. Texts among them are sorted in another way by each collation.
    pub(super) fn key(&self, number: u64) -> Vec<Cell> {
        let key = self.columns[..self.keys].iter().map(|(_, of)| match of {
            Type::Int => format!("{}", number * 3),
            Type::Uuid => uuid(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
            _ => {
                let shape = ["a{}", "A{}", "ä{}", "a-{}", "a {}", "{}'", "_{}", "Z{}"];
                let place = usize::try_from(number % 8).expect("it is small");
                shape[place].replace("{}", &number.to_string())
            }
        });
        key.map(Some).collect()
    }

    /// Some values for the other columns.
    pub(super) fn values(&self, chance: &mut Chance) -> Vec<Cell> {
        let others = self.columns[self.keys..].iter();
        others.map(|(_, of)| if chance.below(8) == 0 { None } else { of.value(chance) }).collect()
    }

    /// The statement that makes the table.
    pub(super) fn create(&self, table: &str, kind: Kind) -> String {
        let columns = self.columns.iter().enumerate().map(|(at, (name, of))| {
            let null = if at < self.keys { " not null" } else { "" };
            let is_sorted = at < self.keys && *of == Type::Text && kind == Kind::Postgres;
            let collation = if is_sorted { self.collation } else { "" };
            format!("{} {}{collation}{null}", quoted(name), of.declared(kind))
        });
        let key: Vec<_> = self.columns[..self.keys].iter().map(|(name, _)| quoted(name)).collect();
        let columns: Vec<_> = columns.collect();
        format!("create table {table} ({}, primary key ({}))", columns.join(", "), key.join(", "))
    }

    /// The statement that puts a row in place of the one with its key.
    pub(super) fn put(&self, table: &str, key: &[Cell], values: &[Cell], kind: Kind) -> String {
        let cells = self.columns.iter().zip(key.iter().chain(values));
        let cells: Vec<_> = cells.map(|((_, of), cell)| literal(*of, cell, kind)).collect();
        let names: Vec<_> = self.columns.iter().map(|(name, _)| quoted(name)).collect();
        let set = names[self.keys..].iter().map(|name| format!("{name} = excluded.{name}"));
        let set: Vec<_> = set.collect();
        format!(
            "insert into {table} values ({}) on conflict ({}) do update set {}",
            cells.join(", "),
            names[..self.keys].join(", "),
            set.join(", ")
        )
    }

    /// The statement that takes a row.
    pub(super) fn take(&self, table: &str, key: &[Cell], kind: Kind) -> String {
        let is_it =
            self.columns.iter().zip(key).map(|((name, of), cell)| {
                format!("{} = {}", quoted(name), literal(*of, cell, kind))
            });
        let is_it: Vec<_> = is_it.collect();
        format!("delete from {table} where {}", is_it.join(" and "))
    }

    /// For whoever reads what went wrong.
    pub(super) fn shown(&self) -> String {
        self.create("t", Kind::Postgres)
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
