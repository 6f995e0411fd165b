//! PURE: who is asked what.

use crate::agree::{Agreement, Paired};
use crate::refused::Side;
use crate::rule::Rule;
use crate::terms::End;
use model::{Ask, Cell, Column, Compares, Digest, Key, Kind, Mark, Row, Seed, Table, Wanted};
use std::sync::Arc;

/// What each side is asked, and how its answers are compared.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What the source is asked.
    pub(crate) source: Ask,
    /// What the copy is asked.
    pub(crate) copy: Ask,
    /// What makes the values of each column the same.
    pub(crate) rules: Vec<Rule>,
    /// Whether the stores make sums.
    pub(crate) has_sums: bool,
    /// Whether the key is known to tell rows apart: at the source, and in the copy.
    pub(crate) is_unique: [bool; 2],
    /// What marks of rows that were read are made with.
    seed: Seed,
    /// The columns, under names that both sides have in common.
    table: Table,
}

impl Plan {
    /// The plan of an agreement.
    pub(crate) fn new(agreement: &Agreement, source: &End, copy: &End, seed: u64) -> Self {
        let wanted = |side: fn(&Paired) -> &Wanted, paired: &[Paired]| -> Vec<Wanted> {
            paired.iter().map(|it| side(it).clone()).collect()
        };
        let [first, second] = [seed, seed.rotate_left(32) ^ 0x9e37_79b9_7f4a_7c15];
        let ask = |end: &End, side: fn(&Paired) -> &Wanted| Ask {
            table: end.table.clone(),
            key: wanted(side, &agreement.key),
            columns: wanted(side, &agreement.columns),
            condition: end.condition.clone(),
            from: None,
            seeds: [first.cast_signed(), second.cast_signed()],
        };
        let columns = agreement.columns.iter().map(|it| Column {
            name: Arc::clone(&it.copy.name),
            kind: Kind::Any,
            declared: "".into(),
            nullable: true,
            compares: Compares::default(),
        });
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        bytes[8..].copy_from_slice(&second.to_le_bytes());
        Self {
            source: ask(source, |it| &it.source),
            copy: ask(copy, |it| &it.copy),
            rules: agreement.columns.iter().map(|it| it.rule).collect(),
            has_sums: agreement.has_sums,
            is_unique: agreement.is_unique,
            seed: Seed::from_bytes(bytes),
            table: Table {
                name: copy.table.clone(),
                version: 1,
                columns: columns.collect(),
                key: Vec::new(),
            },
        }
    }

    /// What a side is asked, and whether its key is known to tell rows apart.
    pub(crate) fn of(&self, side: Side) -> (&Ask, bool) {
        match side {
            Side::Source => (&self.source, self.is_unique[0]),
            Side::Copy => (&self.copy, self.is_unique[1]),
        }
    }

    /// The mark of a row that was read, of either side.
    pub(crate) fn mark(&self, key: &Key, row: Row) -> Mark {
        let plain = row.0.into_iter().zip(&self.rules).map(|(cell, rule)| rule.plain(cell));
        let digest = Digest::of(self.seed, &self.table, key, &Row(plain.collect()));
        let [high, low] = [digest.sum >> 64, digest.sum & u128::from(u64::MAX)];
        let half = |half: u128| u64::try_from(half).unwrap_or_default().cast_signed();
        Mark([half(high), half(low)])
    }

    /// The columns in which two rows are not the same, by their places.
    pub(crate) fn unlike(&self, source: &Row, copy: &Row) -> Vec<usize> {
        let cells = source.0.iter().zip(&copy.0).zip(&self.rules).enumerate();
        let unlike = cells.filter(|(_, ((source, copy), rule))| !rule.joins(source, copy));
        unlike.map(|(place, _)| place).collect()
    }

    /// Whether only the newest rows are compared, and all of these.
    pub(crate) fn is_of_newest(&self) -> bool {
        self.source.from.is_some() && self.source.condition.is_none()
    }

    /// The name of a column.
    pub(crate) fn name(&self, place: usize) -> &Arc<str> {
        &self.table.columns[place].name
    }

    /// The columns of the key, as the copy calls them.
    pub(crate) fn key_names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.copy.key.iter().map(|wanted| &wanted.name)
    }
}

/// The value of a cell; none if there is no such field.
pub(crate) fn value(cell: &Cell) -> Option<model::Value> {
    match cell {
        Cell::Value(value) => Some(value.clone()),
        Cell::Missing | Cell::Unchanged => None,
    }
}
