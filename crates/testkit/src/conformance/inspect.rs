//! The suite of the inspect port, for a source and for a target.

use super::rows::{key, row, rows};
use model::{Answer, At, Digest, Inspect, Key, Row, Rows, Seed, Selection, Service, Table};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An implementation to judge: a table with the rows of [`filled`], and nothing else.
pub struct Subject {
    /// Opens connections to it.
    pub service: Arc<dyn Service<dyn Inspect>>,
    /// The table, as [`super::rows::table`] describes it.
    pub table: Arc<Table>,
    /// Whether it is a source; else a target.
    pub is_source: bool,
}

/// The rows that a subject has: ids of one and two digits, so that text order would show.
pub fn filled() -> Vec<Row> {
    (1..=25).map(|id| row(id, id % 3, &format!("body {id}"))).collect()
}

/// Runs everything that the port promises.
pub async fn suite(make: impl AsyncFn() -> Subject) {
    let subject = make().await;
    the_table_is_found_by_its_name(&subject).await;
    rows_come_complete_and_in_key_order(&subject).await;
    pages_hold_each_row_once(&subject).await;
    selections_mean_what_they_say(&subject).await;
    digests_are_those_of_the_rows(&subject).await;
    an_answer_says_where_it_stands(&subject).await;
}

async fn the_table_is_found_by_its_name(subject: &Subject) {
    let mut inspect = subject.service.connect().await.expect("a connection");
    let found = inspect.table(&subject.table.name).await.expect("an answer");
    let found = found.expect("there is such a table");
    let shape = |table: &Table| -> (Vec<Arc<str>>, Vec<usize>) {
        (table.columns.iter().map(|column| column.name.clone()).collect(), table.key.clone())
    };
    assert_eq!((&found.name, shape(&found)), (&subject.table.name, shape(&subject.table)));
    assert_eq!(inspect.table(&"no_such_table".into()).await.expect("an answer"), None);
}

async fn rows_come_complete_and_in_key_order(subject: &Subject) {
    let found = read(subject, &Selection::ALL, 1_000).await.found;
    assert_eq!(found.upto, None, "it speaks for the whole table");
    assert!(found.rows.is_sorted_by(|one, other| one.0 < other.0));
    assert_eq!(by_key(&found), rows(filled()));
}

async fn pages_hold_each_row_once(subject: &Subject) {
    let (mut after, mut seen) = (None, BTreeMap::new());
    loop {
        let selection = Selection::Range { after: after.clone(), upto: None };
        let page = read(subject, &selection, 4).await.found;
        assert!(page.rows.len() <= 4);
        for (key, row) in by_key(&page) {
            assert_eq!(seen.insert(key, row), None, "twice");
        }
        match page.upto {
            Some(upto) => after = Some(upto),
            None => break,
        }
    }
    assert_eq!(seen, rows(filled()));
}

async fn selections_mean_what_they_say(subject: &Subject) {
    let ids =
        |found: &Rows| -> Vec<Key> { found.rows.iter().map(|(key, ..)| key.clone()).collect() };
    let range = Selection::Range { after: Some(key(3)), upto: Some(key(6)) };
    assert_eq!(ids(&read(subject, &range, 100).await.found), [key(4), key(5), key(6)]);
    let keys = Selection::Keys(vec![key(9), key(99), key(2)]);
    assert_eq!(ids(&read(subject, &keys, 100).await.found), [key(2), key(9)]);
    assert_eq!(ids(&read(subject, &Selection::Nothing, 100).await.found), []);
}

async fn digests_are_those_of_the_rows(subject: &Subject) {
    let seed = Seed::from_bytes(*b"a seed of 16 byt");
    let halves = [
        Selection::Range { after: None, upto: Some(key(10)) },
        Selection::Range { after: Some(key(10)), upto: None },
        Selection::Nothing,
    ];
    let mut inspect = subject.service.connect().await.expect("a connection");
    let answer = inspect.digests(&subject.table, &halves, seed).await.expect("digests");
    for (selection, found) in halves.iter().zip(answer.found) {
        let mut expected = Digest::default();
        for (key, row) in rows(filled()).iter().filter(|(key, _)| selection.contains(key)) {
            expected += Digest::of(seed, &subject.table, key, row);
        }
        assert_eq!(found, expected, "{selection:?}");
    }
}

async fn an_answer_says_where_it_stands(subject: &Subject) {
    match read(subject, &Selection::Nothing, 1).await.at {
        At::Source(placement) => {
            assert!(subject.is_source);
            assert!(!placement.reached.as_bytes().is_empty());
        }
        At::Target(watermarks) => {
            assert!(!subject.is_source);
            assert!(!watermarks.is_empty(), "it was filled up to a watermark");
        }
    }
}

async fn read(subject: &Subject, selection: &Selection, rows_max: usize) -> Answer<Rows> {
    let mut inspect = subject.service.connect().await.expect("a connection");
    inspect.rows(&subject.table, selection, rows_max).await.expect("rows")
}

fn by_key(found: &Rows) -> BTreeMap<Key, Row> {
    found.rows.iter().map(|(key, row, _)| (key.clone(), row.clone())).collect()
}
