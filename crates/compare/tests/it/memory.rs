//! A table in memory, in whatever order, that fails when it is told to.

use crate::chance::Chance;
use async_trait::async_trait;
use model::{
    Ask, Audit, Cell, Code, Column, Compares, Digest, Fault, Flaw, Found, Groups, Key, Kind,
    Listed, Looked, LookedColumn, Mark, Reference, Row, Seed, Selection, Service, Sum, Table,
    TableName, Value, Wanted,
};
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::time::sleep;

/// A table and what it is like.
#[derive(Clone)]
pub(crate) struct Store(pub(crate) Arc<Mutex<Held>>);

pub(crate) struct Held {
    /// The rows, each with its number, and what it is sorted by where rows are scattered.
    pub(crate) rows: BTreeMap<Key, (Row, u64, Vec<u8>)>,
    pub(crate) columns: Vec<(&'static str, Kind)>,
    pub(crate) key: Vec<usize>,
    pub(crate) order: Order,
    /// Whether numbers are texts where the newest are looked for.
    pub(crate) newest_as_text: bool,
    pub(crate) has_sums: bool,
    pub(crate) faults: Faults,
    /// Rows of an answer, at most.
    pub(crate) answer_max: usize,
    /// Another table, that references go to.
    pub(crate) others: BTreeSet<Value>,
    pub(crate) calls: u64,
    version: u64,
}

/// How keys are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Own,
    Reversed,
    Scattered,
}

/// What goes wrong.
pub(crate) enum Faults {
    None,
    /// So many calls in a hundred fail, and would not when asked again.
    Some(Chance, usize),
    /// Every call from this one on fails for good.
    From(u64),
}

impl Store {
    pub(crate) fn new(columns: &[(&'static str, Kind)], key: &[usize]) -> Self {
        Self(Arc::new(Mutex::new(Held {
            rows: BTreeMap::new(),
            columns: columns.to_vec(),
            key: key.to_vec(),
            order: Order::Own,
            newest_as_text: false,
            has_sums: true,
            faults: Faults::None,
            answer_max: usize::MAX,
            others: BTreeSet::new(),
            calls: 0,
            version: 0,
        })))
    }

    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap()
    }

    /// Puts a row in place of the one with its key.
    pub(crate) fn put(&self, row: Row) {
        let mut held = self.held();
        let key = held.key_of(&row);
        held.version += 1;
        let version = held.version;
        held.rows.insert(key.clone(), (row, version, scattered(&key)));
    }

    pub(crate) fn take(&self, key: &Key) -> Option<Row> {
        self.held().rows.remove(key).map(|(row, ..)| row)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Row> {
        self.held().rows.get(key).map(|(row, ..)| row.clone())
    }
}

fn scattered(key: &Key) -> Vec<u8> {
    format!("{key:?}").bytes().rev().collect()
}

impl Held {
    pub(crate) fn key_of(&self, row: &Row) -> Key {
        Key::new(self.key.iter().map(|&place| value(&row.0[place])))
    }

    fn compare(&self, one: &Key, other: &Key) -> Ordering {
        match self.order {
            Order::Own => one.cmp(other),
            Order::Reversed => other.cmp(one),
            Order::Scattered => scattered(one).cmp(&scattered(other)).then(one.cmp(other)),
        }
    }

    fn asked(&self, row: &Row, wanted: &[Wanted]) -> Vec<Value> {
        let cell = |wanted: &Wanted| {
            let place = self.columns.iter().position(|(name, _)| *name == &*wanted.name).unwrap();
            value(&row.0[place])
        };
        wanted.iter().map(cell).collect()
    }

    fn is_within(&self, ask: &Ask, row: &Row) -> bool {
        let is_from = ask.from.as_ref().is_none_or(|(wanted, from)| {
            let found = self.asked(row, std::slice::from_ref(wanted));
            found[0] != Value::Null
                && match (self.newest_as_text, &found[0], from) {
                    (true, Value::Int(one), Value::Int(other)) => {
                        one.to_string() >= other.to_string()
                    }
                    (_, found, from) => found >= from,
                }
        });
        // The one condition that is known here.
        is_from
            && ask.condition.as_deref().is_none_or(|condition| {
                let (name, wanted) = condition.split_once(" = ").unwrap();
                let wanted: i64 = wanted.parse().unwrap();
                let name = Wanted { name: name.into(), kind: Kind::Int };
                self.asked(row, &[name])[0] == Value::Int(wanted)
            })
    }

    /// The selected rows in order.
    fn selected(&self, ask: &Ask, of: &Selection) -> Vec<(Key, Row, u64)> {
        let is_selected = |key: &Key| match of {
            Selection::Range { after, upto } => {
                after.as_ref().is_none_or(|after| self.compare(key, after).is_gt())
                    && upto.as_ref().is_none_or(|upto| self.compare(key, upto).is_le())
            }
            Selection::Keys(keys) => keys.contains(key),
            Selection::Nothing => false,
        };
        let rows = self.rows.values().filter(|(row, ..)| self.is_within(ask, row));
        let rows = rows.map(|(row, version, _)| {
            let cells = self.asked(row, &ask.columns).into_iter().map(Cell::Value).collect();
            (Key::new(self.asked(row, &ask.key)), Row(cells), *version)
        });
        let mut rows: Vec<_> = rows.filter(|(key, ..)| is_selected(key)).collect();
        match self.order {
            Order::Own => rows.sort_by(|(one, ..), (other, ..)| one.cmp(other)),
            Order::Reversed => rows.sort_by(|(one, ..), (other, ..)| other.cmp(one)),
            Order::Scattered => rows.sort_by_cached_key(|(key, ..)| scattered(key)),
        }
        rows
    }

    fn fail(&mut self) -> Result<(), Fault> {
        self.calls += 1;
        let calls = self.calls;
        let is_some = match &mut self.faults {
            Faults::None => false,
            Faults::Some(chance, hundredths) => chance.is_one_of(*hundredths),
            Faults::From(from) => {
                if calls >= *from {
                    return Err(Fault::stop(Code::PostgresRefused, "it says no"));
                }
                false
            }
        };
        if is_some { Err(Fault::retry(Code::SourceUnavailable, "it is away")) } else { Ok(()) }
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Value(value) => value.clone(),
        other => panic!("{other:?}"),
    }
}

fn mark(ask: &Ask, key: &Key, row: &Row) -> Mark {
    let columns = (0..row.0.len()).map(|place| Column {
        name: place.to_string().into(),
        kind: Kind::Any,
        declared: "".into(),
        nullable: true,
        compares: Compares::default(),
    });
    let table = Table { name: "t".into(), version: 1, columns: columns.collect(), key: Vec::new() };
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&ask.seeds[0].to_le_bytes());
    let digest = Digest::of(Seed::from_bytes(seed), &table, key, row);
    let bytes = digest.sum.to_le_bytes();
    Mark([
        i64::from_le_bytes(bytes[..8].try_into().unwrap()),
        i64::from_le_bytes(bytes[8..].try_into().unwrap()),
    ])
}

#[async_trait]
impl Service<dyn Audit> for Store {
    async fn connect(&self) -> Result<Box<dyn Audit>, Fault> {
        Ok(Box::new(self.clone()))
    }
}

impl Store {
    /// Every call takes its time, so that others have theirs.
    async fn call(&self) -> Result<MutexGuard<'_, Held>, Fault> {
        sleep(Duration::from_micros(700)).await;
        let mut held = self.held();
        held.fail()?;
        Ok(held)
    }

    async fn listed<T>(
        &self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
        each: impl Fn(&Held, &Key, Row) -> T,
    ) -> Result<Listed<T>, Fault> {
        let held = self.call().await?;
        let selected = held.selected(ask, of);
        let rows_max = rows_max.min(held.answer_max);
        let more = selected.len() > rows_max;
        let found = selected.into_iter().take(rows_max).map(|(key, row, _)| {
            let it = each(&held, &key, row);
            (key, it)
        });
        Ok(Listed { found: found.collect(), more })
    }
}

#[async_trait]
impl Audit for Store {
    async fn look(&mut self, name: &TableName) -> Result<Option<Looked>, Fault> {
        let held = self.held();
        if name.as_str() != "t" {
            return Ok(None);
        }
        let columns = held.columns.iter().map(|(name, kind)| Column {
            name: (*name).into(),
            kind: *kind,
            declared: format!("{kind:?}").into(),
            nullable: true,
            compares: Compares::default(),
        });
        let looked = held.columns.iter().map(|(_, kind)| LookedColumn {
            written: Some(format!("{kind:?}").into()),
            sorted: Some(format!("{:?}", held.order).into()),
            is_single: false,
            is_padded: false,
            unreadable: None,
        });
        let names = held.key.iter().map(|&place| held.columns[place].0.into()).collect();
        Ok(Some(Looked {
            columns: looked.collect(),
            unique: if held.key.is_empty() { vec![] } else { vec![names] },
            sums: held.has_sums.then_some("memory"),
            rows: Some(u64::try_from(held.rows.len()).unwrap()),
            store: "memory".to_owned(),
            table: Table {
                name: name.clone(),
                version: 1,
                columns: columns.collect(),
                key: held.key.clone(),
            },
        }))
    }

    async fn admit(&mut self, _: &Ask) -> Result<(), Fault> {
        Ok(())
    }

    async fn cut(
        &mut self,
        ask: &Ask,
        after: Option<&Key>,
        rows: u64,
    ) -> Result<Option<Key>, Fault> {
        let held = self.call().await?;
        let of = Selection::Range { after: after.cloned(), upto: None };
        let place = usize::try_from(rows).unwrap() - 1;
        Ok(held.selected(ask, &of).into_iter().nth(place).map(|(key, ..)| key))
    }

    async fn sum(&mut self, ask: &Ask, of: &Selection) -> Result<Sum, Fault> {
        let held = self.call().await?;
        assert!(held.has_sums, "nobody said that there are sums");
        let mut sum = Sum::default();
        held.selected(ask, of).iter().for_each(|(key, row, _)| sum.add(mark(ask, key, row)));
        Ok(sum)
    }

    async fn marks(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Mark>, Fault> {
        self.listed(ask, of, rows_max, |_, key, row| mark(ask, key, &row)).await
    }

    async fn rows(
        &mut self,
        ask: &Ask,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<Row>, Fault> {
        self.listed(ask, of, rows_max, |_, _, row| row).await
    }

    async fn find(&mut self, ask: &Ask, keys: &[Key]) -> Result<BTreeMap<Key, Found>, Fault> {
        let held = self.call().await?;
        let all = Ask { condition: None, from: None, ..ask.clone() };
        let within = held.selected(ask, &Selection::Keys(keys.to_vec()));
        let within: BTreeSet<Key> = within.into_iter().map(|(key, ..)| key).collect();
        let found = held.selected(&all, &Selection::Keys(keys.to_vec())).into_iter();
        let found = found.map(|(key, row, version)| {
            let is_within = within.contains(&key);
            (key, Found { row, version, is_within })
        });
        Ok(found.collect())
    }

    async fn flaw(&mut self, ask: &Ask, of: &Selection) -> Result<Option<Flaw>, Fault> {
        let held = self.call().await?;
        let rows = held.selected(ask, of);
        let twice = rows.windows(2).find(|pair| pair[0].0 == pair[1].0);
        Ok(twice.map(|pair| Flaw::Twice(pair[0].0.clone())))
    }

    async fn groups(&mut self, ask: &Ask, groups: &Groups) -> Result<Listed<i64>, Fault> {
        let held = self.call().await?;
        let mut found: BTreeMap<Key, i64> = BTreeMap::new();
        for (row, ..) in held.rows.values().filter(|(row, ..)| held.is_within(ask, row)) {
            let group = Key::new(held.asked(row, &groups.by));
            if groups.only.as_ref().is_some_and(|only| !only.contains(&group)) {
                continue;
            }
            let number = match &groups.value {
                None => 1,
                Some(name) => {
                    match held.asked(row, &[Wanted { name: name.clone(), kind: Kind::Int }])[0] {
                        Value::Int(number) => number,
                        _ => 0,
                    }
                }
            };
            *found.entry(group).or_default() += number;
        }
        Ok(Listed { found: found.into_iter().collect(), more: false })
    }

    async fn orphans(
        &mut self,
        ask: &Ask,
        refers: &Reference,
        of: &Selection,
        rows_max: usize,
    ) -> Result<Listed<()>, Fault> {
        let wanted = Wanted { name: refers.column.clone(), kind: Kind::Int };
        let columns = vec![wanted];
        let ask = Ask { columns, ..ask.clone() };
        let held = self.call().await?;
        let found = held.selected(&ask, of).into_iter().filter(|(_, row, _)| {
            let value = value(&row.0[0]);
            value != Value::Null && !held.others.contains(&value)
        });
        let mut found: Vec<_> = found.map(|(key, ..)| (key, ())).collect();
        let more = found.len() > rows_max;
        found.truncate(rows_max);
        Ok(Listed { found, more })
    }

    async fn newest(&mut self, ask: &Ask, by: &Wanted, rows: u64) -> Result<Option<Value>, Fault> {
        let held = self.call().await?;
        let rows = usize::try_from(rows).unwrap();
        let mut values: Vec<Value> = held
            .rows
            .values()
            .filter(|(row, ..)| held.is_within(ask, row))
            .map(|(row, ..)| held.asked(row, std::slice::from_ref(by)).remove(0))
            .collect();
        values.sort();
        Ok(values.into_iter().rev().nth(rows - 1))
    }

    async fn position(&mut self) -> Result<Option<String>, Fault> {
        Ok(Some(self.held().version.to_string()))
    }
}
