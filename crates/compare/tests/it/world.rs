//! A source and its copy, and what is wrong with the copy.

use crate::chance::Chance;
use crate::memory::{Order, Store};
use instep_compare::{End, Kind as Wrong, Progress, Refused, Stop, Terms, Verdict, prepare};
use model::{Cell, Key, Kind, Row, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A source and its copy.
pub(crate) struct World {
    pub(crate) source: Store,
    pub(crate) copy: Store,
    pub(crate) chance: Chance,
    /// What is wrong, by key.
    pub(crate) wrong: BTreeMap<Key, Wrong>,
}

const COLUMNS: [(&str, Kind); 5] = [
    ("a", Kind::Int),
    ("b", Kind::Text),
    ("topic", Kind::Int),
    ("title", Kind::Text),
    ("price", Kind::Decimal),
];

impl World {
    /// So many rows, with a key of one column or two, sorted in any way.
    pub(crate) fn new(seed: u64, rows: usize) -> Self {
        let mut chance = Chance(seed);
        let key: &[usize] = [&[0][..], &[1], &[0, 1], &[1, 0]][chance.below(4)];
        let (source, copy) = (Store::new(&COLUMNS, key), Store::new(&COLUMNS, key));
        let orders = [Order::Own, Order::Own, Order::Reversed, Order::Scattered];
        let has_sums = chance.is_one_of(50);
        for store in [&source, &copy] {
            let mut held = store.held();
            held.order = orders[chance.below(4)];
            held.has_sums = has_sums;
            held.answer_max = [7, 50, usize::MAX][chance.below(3)];
        }
        let mut world = Self { source, copy, chance, wrong: BTreeMap::new() };
        for number in 0..rows {
            let row = world.row(number);
            world.source.put(row.clone());
            world.copy.put(row);
        }
        world
    }

    /// A row whose key is this number's.
    pub(crate) fn row(&mut self, number: usize) -> Row {
        let int = |number: usize| Value::Int(i64::try_from(number).unwrap());
        let texts = ["", "a", "A", "ä", "a b", "'", "NULL", "0"];
        let price = format!("{}.{}", self.chance.below(100), self.chance.below(100));
        let nullable = |value: Value, is_null: bool| if is_null { Value::Null } else { value };
        let is_null = self.chance.is_one_of(10);
        let cells = [
            int(number * 3 + 1),
            Value::from(
                format!("{}{number}", if number.is_multiple_of(2) { "k" } else { "K" }).as_str(),
            ),
            nullable(int(self.chance.below(7)), is_null),
            nullable(Value::from(texts[self.chance.below(texts.len())]), self.chance.is_one_of(10)),
            Value::Decimal(price.parse().unwrap()),
        ];
        Row(cells.into_iter().map(Cell::Value).collect())
    }

    pub(crate) fn key_of(&self, row: &Row) -> Key {
        self.source.held().key_of(row)
    }

    /// A key of the source that nothing is wrong with.
    pub(crate) fn sound_key(&mut self) -> Option<Key> {
        let keys: Vec<Key> = {
            let held = self.source.held();
            held.rows.keys().cloned().collect()
        };
        let sound: Vec<Key> =
            keys.into_iter().filter(|key| !self.wrong.contains_key(key)).collect();
        if sound.is_empty() { None } else { Some(sound[self.chance.below(sound.len())].clone()) }
    }

    /// Compares.
    pub(crate) async fn compare(&self, terms: Terms) -> Verdict {
        self.try_compare(terms, &Stop::default()).await.unwrap()
    }

    pub(crate) async fn try_compare(&self, terms: Terms, stop: &Stop) -> Result<Verdict, Refused> {
        let end = |store: &Store| End {
            store: Arc::new(store.clone()),
            table: "t".into(),
            condition: None,
        };
        let prepared = prepare(&end(&self.source), &end(&self.copy), terms).await?;
        Ok(prepared.run(&Arc::new(Progress::default()), stop).await)
    }

    /// What a verdict lists, by key.
    pub(crate) fn found(verdict: &Verdict) -> BTreeMap<Key, Wrong> {
        let keyed = verdict.differences.iter().map(|difference| {
            (Key::new(difference.key.iter().map(|(_, value)| value.clone())), difference.kind)
        });
        let found: BTreeMap<_, _> = keyed.collect();
        assert_eq!(found.len(), verdict.differences.len(), "a key is listed twice");
        found
    }
}
