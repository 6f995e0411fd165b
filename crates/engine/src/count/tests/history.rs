//! Random histories, delivered in random batches: after each of them every number equals a recount
//! of the rows as they were at that place.

use super::rig::{Rig, count, key, questions};
use crate::count::{Condition, Count, Group};
use model::{
    Cell, Change, Decimal, Incarnation, Offset, Op, Position, Row, Table, TableName, Value,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn after_every_batch_every_number_equals_a_recount(
        wishes in vec(wish(), 1..80),
        ends in vec(1..4_usize, 1..40),
        batches in vec((1..9_usize, 0..12_usize), 1..60),
        renewed_at in 0..80_usize,
    ) {
        let history = History::of(&wishes, &ends, renewed_at);
        let mut rig = Rig::new(counts());
        let (mut done, mut done_before) = (0, None);
        for (size, again) in batches.into_iter().cycle() {
            let first = done - again.min(done);
            // Often only what is old comes, but every other time something new.
            let size = if done_before.replace(done) == Some(done) { again + size } else { size };
            let end = (first + size).min(history.changes.len());
            let outcome = rig.take(&history.changes[first..end]);
            done = done.max(end);
            prop_assert!(outcome.unknown.is_empty());
            check(&rig, &history.states[done])?;
            if done == history.changes.len() {
                break;
            }
        }
    }
}

/// Rows by table and id, as a source would hold them.
type Rows = BTreeMap<(TableName, i64), Question>;

#[derive(Clone, Debug, PartialEq)]
struct Question {
    topic: Option<&'static str>,
    deleted: Option<bool>,
    /// In tenths.
    weight: Option<i64>,
}

/// What a writer would like to do; it does what the rows allow.
#[derive(Clone, Debug)]
struct Wish {
    table: &'static str,
    kind: Kind,
    id: i64,
    other: i64,
    row: Question,
    /// Which columns keep what they have: topic, deleted, weight.
    kept: [bool; 3],
    /// Whether the source leaves out what was kept.
    silent: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Put,
    Move,
    Delete,
    Truncate,
}

fn wish() -> impl Strategy<Value = Wish> {
    let kind = prop_oneof![
        12 => Just(Kind::Put),
        4 => Just(Kind::Move),
        4 => Just(Kind::Delete),
        1 => Just(Kind::Truncate),
    ];
    let row = (
        option::of(proptest::sample::select(vec!["a", "b", "A", ""])),
        option::of(any::<bool>()),
        option::of(0..4_i64),
    )
        .prop_map(|(topic, deleted, weight)| Question { topic, deleted, weight });
    let table = proptest::sample::select(vec!["questions", "archive"]);
    (table, kind, (0..5_i64, 0..5_i64), row, any::<[bool; 3]>(), any::<bool>()).prop_map(
        |(table, kind, (id, other), row, kept, silent)| Wish {
            table,
            kind,
            id,
            other,
            row,
            kept,
            silent,
        },
    )
}

/// What happened, and the rows before the first change and after each.
struct History {
    changes: Vec<(Offset, Change)>,
    states: Vec<Rows>,
}

impl History {
    /// Transactions end after as many changes as `ends` says, over and over; the tables get a new
    /// version on the way.
    fn of(wishes: &[Wish], ends: &[usize], renewed_at: usize) -> Self {
        let mut history = Self { changes: Vec::new(), states: vec![Rows::new()] };
        let mut ends = ends.iter().cycle();
        let (mut number, mut ordinal, mut left) = (1, 0, *ends.next().unwrap());
        for (place, wish) in wishes.iter().enumerate() {
            let version = if place < renewed_at { 1 } else { 2 };
            let mut rows = history.states.last().unwrap().clone();
            let Some(op) = wish.grant(&mut rows, version) else {
                continue;
            };
            let table = Table { name: wish.table.into(), ..Table::clone(&questions(version)) };
            let offset =
                Offset::whole(Incarnation(1), Position::from_number(number)).change(ordinal);
            history.changes.push((offset, Change { table: Arc::new(table), op }));
            history.states.push(rows);
            (ordinal, left) = (ordinal + 1, left - 1);
            if left == 0 {
                (number, ordinal, left) = (number + 1, 0, *ends.next().unwrap());
            }
        }
        history
    }
}

impl Wish {
    /// Does it to the rows, as far as they allow, and says what a source would say of it.
    fn grant(&self, rows: &mut Rows, version: u32) -> Option<Op> {
        let at = |id| (TableName::from(self.table), id);
        let before = rows.get(&at(self.id)).cloned();
        match (self.kind, before) {
            (Kind::Truncate, _) => {
                rows.retain(|(table, _), _| table.as_str() != self.table);
                Some(Op::Truncate)
            }
            (Kind::Delete, before) => {
                before?;
                rows.remove(&at(self.id));
                Some(Op::Delete(key(self.id)))
            }
            (Kind::Put | Kind::Move, None) => {
                rows.insert(at(self.id), self.row.clone());
                Some(Op::Insert(shown(self.id, &self.row, [false; 3], version)))
            }
            (kind, Some(before)) => {
                let moves = matches!(kind, Kind::Move) && !rows.contains_key(&at(self.other));
                let id = if moves { self.other } else { self.id };
                let [topic, deleted, weight] = self.kept;
                let now = Question {
                    topic: if topic { before.topic } else { self.row.topic },
                    deleted: if deleted { before.deleted } else { self.row.deleted },
                    weight: if weight { before.weight } else { self.row.weight },
                };
                let silent = self.kept.map(|kept| kept && self.silent);
                let row = shown(id, &now, silent, version);
                rows.remove(&at(self.id));
                rows.insert(at(id), now);
                Some(Op::Update { before: key(self.id), row })
            }
        }
    }
}

/// A row as the source shows it in this version of its table.
fn shown(id: i64, question: &Question, silent: [bool; 3], version: u32) -> Row {
    let cell = |value: Option<Value>| Cell::Value(value.unwrap_or(Value::Null));
    let tenths = |tenths: i64| {
        // Written with a zero at the end at times, which changes nothing.
        let text = format!("{}.{}{}", tenths / 10, tenths % 10, if tenths == 1 { "0" } else { "" });
        Value::Decimal(text.parse::<Decimal>().unwrap())
    };
    let known = [
        cell(question.topic.map(Value::from)),
        cell(question.deleted.map(Value::from)),
        cell(question.weight.map(tenths)),
    ];
    let mut cells = vec![Cell::from(id)];
    for (cell, silent) in known.into_iter().zip(silent) {
        cells.push(if silent { Cell::Unchanged } else { cell });
    }
    if version > 1 {
        cells.push(Cell::Unchanged);
        cells.reverse();
    }
    Row(cells)
}

fn counts() -> Vec<Count> {
    let archived = Count { of: "archive".into(), ..count("archived", &["deleted", "topic"], "") };
    let condition = Condition::parse("weight between 0.1 and 0.2 or topic in ('a', null)").unwrap();
    let odd =
        Count { of: "archive".into(), condition: Some(condition), ..count("odd", &["weight"], "") };
    vec![
        count("live", &["topic"], "not deleted"),
        count("every", &[], ""),
        count("heavy", &["weight", "topic"], "weight >= 0.2 and deleted is not true"),
        count("low", &["deleted"], "id < 2"),
        archived,
        odd,
    ]
}

/// The group of a row in each of the counts, said once more without any condition.
fn group(count: &str, id: i64, question: &Question) -> Option<Group> {
    let topic = question.topic.map_or(Value::Null, Value::from);
    let deleted = question.deleted.map_or(Value::Null, Value::from);
    let weight = question.weight.map_or(Value::Null, |weight| {
        Value::Decimal(Decimal::finite(false, weight.to_string().as_bytes(), 1).unwrap())
    });
    let (counts, values) = match count {
        "live" => (question.deleted == Some(false), vec![topic]),
        "every" => (true, vec![]),
        "heavy" => {
            (question.weight >= Some(2) && question.deleted != Some(true), vec![weight, topic])
        }
        "low" => (id < 2, vec![deleted]),
        "archived" => (true, vec![deleted, topic]),
        "odd" => (
            question.weight.is_some_and(|weight| (1..=2).contains(&weight))
                || question.topic == Some("a"),
            vec![weight],
        ),
        _ => unreachable!("BUG: no such count"),
    };
    counts.then(|| Group::new(values))
}

fn check(rig: &Rig, rows: &Rows) -> Result<(), TestCaseError> {
    for (tally, count) in rig.tallies.iter().zip(counts()) {
        let mut recount: BTreeMap<Group, i64> = BTreeMap::new();
        for ((table, id), question) in rows {
            if *table == count.of
                && let Some(group) = group(count.name.as_str(), *id, question)
            {
                *recount.entry(group).or_default() += 1;
            }
        }
        prop_assert_eq!(tally.groups(), &recount, "{}", count.name);
    }
    Ok(())
}
