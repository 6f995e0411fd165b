//! How counts are defined over a table and its versions: what can be counted, what is refused and
//! why, and what remembered cells mean after a change of the definition.

use super::rig::{Rig, at, by_topic, count, delete, key, question, questions};
use crate::count::{Condition, Count, Folds, Group, Memo};
use model::{Cell, Code, Collation, Column, Compares, Key, Kind, Moment, Row, Table, Value};

// CN10
#[test]
fn floats_are_refused_as_groups_with_a_reason() {
    let faults = Folds::new(&[count("by_added", &["added"], "")], &questions(2)).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "count by_added, column added: it cannot be grouped by: floats that look equal may differ, \
         so each would be a group of its own; group by an integer, a decimal, a text or a time"
    );
}

// CN14
#[test]
fn remembered_cells_keep_their_meaning_in_the_next_version_of_the_table() {
    let counts = [by_topic(), count("heavy", &["weight"], "weight > 1 and id < 9")];
    let [one, two] = [1, 2].map(|version| Folds::new(&counts, &questions(version)).unwrap());
    let columns: Vec<_> = one.columns().iter().map(|column| &**column).collect();
    assert_eq!(columns, ["deleted", "id", "topic", "weight"]);
    assert_eq!(one.columns(), two.columns());
    let mut counts = counts;
    counts.reverse();
    assert_eq!(Folds::new(&counts, &questions(1)).unwrap().columns(), one.columns());
    let row = question(1, "a", false);
    let mut reversed = row.0.clone();
    reversed.push(Cell::from(0.5));
    reversed.reverse();
    assert_eq!(one.project(&row), two.project(&Row(reversed)));
}

// CN14
#[test]
fn memos_of_another_definition_are_never_read() {
    let mut rig = Rig::new(vec![by_topic()]);
    let memo = Memo { offset: at(1), cells: vec![Cell::from("a")] };
    rig.memos.entry("questions".into()).or_default().insert(key(1), memo);
    let fault = rig.outcome_of(&[delete(2, 1)]).unwrap_err();
    assert_eq!(fault.code, Code::Broken);
}

#[test]
fn a_column_that_is_gone_stops_the_counts_that_read_it_and_no_other() {
    let mut narrow = Table::clone(&questions(1));
    narrow.version = 7;
    narrow.columns.pop();
    let counts = [count("heavy", &[], "weight > 1"), by_topic()];
    let faults = Folds::new(&counts, &narrow).unwrap_err();
    assert_eq!(
        faults[0].to_string(),
        "count heavy, column weight: questions has no such column; name one of: id, topic, deleted"
    );
    let (folds, faults) = Folds::of_sound(&counts, &narrow);
    assert_eq!(faults.len(), 1);
    assert_eq!(folds.counts().collect::<Vec<_>>(), [&"by_topic".into()]);
    assert_eq!(folds.columns(), Folds::new(&counts, &questions(1)).unwrap().columns());
    let row = Row(vec![Cell::from(1_i64), Cell::from("a"), Cell::from(false)]);
    let cells = folds.project(&row);
    assert_eq!(cells, [Cell::from(false), Cell::from("a"), Cell::Missing]);
    let groups: Vec<_> = folds.groups(&cells).collect();
    assert_eq!(groups, [(&"by_topic".into(), Some(Group::new(["a"])))]);
}

#[test]
fn what_cannot_be_counted_is_refused_with_its_count_and_column() {
    let elsewhere = Count { of: "elsewhere".into(), ..count("other", &["nothing"], "") };
    for (count, said) in [
        (
            count("a", &["Topic"], ""),
            "count a, column Topic: questions has no such column; write \"topic\"",
        ),
        (count("b", &["topic", "topic"], ""), "count b, column topic: it is named twice in `by`"),
        (
            count("c", &[], "weight = 'x'"),
            "count c, column weight: a column of numbers is compared",
        ),
        (count("d", &[], "1"), "count d: a number or text is not true or false by itself"),
    ] {
        let faults =
            Folds::new(&[count, elsewhere.clone(), by_topic()], &questions(1)).unwrap_err();
        assert_eq!(faults.len(), 1);
        assert!(faults[0].to_string().starts_with(said), "{}", faults[0]);
    }
    for kind in [Kind::Float, Kind::Interval, Kind::Json, Kind::Array] {
        assert!(Folds::new(&[count("e", &["c"], "")], &of_kind(kind)).is_err(), "{kind:?}");
    }
    for kind in [Kind::Bool, Kind::Bytes, Kind::Date, Kind::TimeTz, Kind::Uuid, Kind::Any] {
        assert!(Folds::new(&[count("e", &["c"], "")], &of_kind(kind)).is_ok(), "{kind:?}");
    }
}

fn of_kind(kind: Kind) -> Table {
    let column = Column {
        name: "c".into(),
        kind,
        declared: "".into(),
        nullable: true,
        compares: Compares::default(),
    };
    Table { name: "questions".into(), version: 1, columns: vec![column], key: vec![0] }
}

#[test]
fn a_condition_may_ask_for_dates_and_keys_may_be_made_of_several_columns() {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        declared: "".into(),
        nullable: true,
        compares: Compares::default(),
    };
    let columns = vec![column("a", Kind::Int), column("b", Kind::Text), column("day", Kind::Date)];
    let table = Table { name: "questions".into(), version: 1, columns, key: vec![1, 0] };
    let condition = Condition::parse("day >= '2024-01-01'").unwrap();
    let count = Count { condition: Some(condition), ..count("recent", &["b", "a"], "") };
    let folds = Folds::new(&[count], &table).unwrap();
    let row = |days| {
        Row(vec![Cell::from(1_i64), Cell::from("x"), Cell::Value(Value::Date(Moment::At(days)))])
    };
    let group = |days| folds.groups(&folds.project(&row(days))).next().unwrap().1;
    assert_eq!(group(19_723), Some(Group::new([Value::from("x"), Value::Int(1)])));
    assert_eq!(group(19_722), None);
    assert_eq!(table.key_of(&row(0)), Some(Key::new([Value::from("x"), Value::Int(1)])));
}

// CN11
#[test]
fn texts_that_compare_otherwise_are_refused_with_their_column() {
    let nocase = |equal_by_bytes| Collation { name: "NOCASE".into(), equal_by_bytes };
    let table = |kind, collation| {
        let mut table = of_kind(kind);
        table.columns[0].compares = Compares { collation, affinity: None };
        table
    };
    let refused = |condition: &str, collation| {
        let count = match condition {
            "" => count("e", &["c"], ""),
            _ => count("e", &[], condition),
        };
        let faults = Folds::new(&[count], &table(Kind::Any, Some(collation)));
        faults.err().map(|faults| faults[0].to_string())
    };
    for condition in ["", "c = 'a'", "c in ('a', 1)", "c = c"] {
        let why = refused(condition, nocase(false)).expect("refused");
        let what = "its texts compare as NOCASE does, not byte by byte; ";
        assert!(why.starts_with("count e, column c: ") && why.contains(what), "{why}");
        assert_eq!(refused(condition, nocase(true)), None, "equal texts have equal bytes");
    }
    for condition in ["c < 'a'", "c between 'a' and 'b'", "c >= c"] {
        assert!(refused(condition, nocase(true)).is_some(), "{condition}");
    }
    for condition in ["c is null", "c = 1", "c <> 1.5", "c = null"] {
        assert_eq!(refused(condition, nocase(false)), None, "{condition}");
    }
    let count = [count("e", &["c"], "c > 1")];
    assert!(Folds::new(&count, &table(Kind::Int, Some(nocase(false)))).is_ok(), "no texts there");
}

// CN11
#[test]
fn groups_keep_what_bytes_tell_apart() {
    let folds = Folds::new(&[count("e", &["c"], "")], &of_kind(Kind::Any)).unwrap();
    let texts = ["a", "A", "a ", "\u{e9}", "e\u{301}", ""];
    let group = |text: &str| folds.groups(&[Cell::from(text)]).next().unwrap().1;
    let groups: std::collections::BTreeSet<_> = texts.iter().map(|text| group(text)).collect();
    assert_eq!(groups.len(), texts.len());
}
