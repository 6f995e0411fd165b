//! Several readers of one memory database, each at its own pace.

use instep_testkit::conformance::rows::{insert, row, table};
use instep_testkit::conformance::source;
use instep_testkit::memory::database::{Database, DatabaseSlot};
use model::{Place, Position, Resume, Service, Source, Started, Step};
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn a_slot_keeps_the_promises_of_a_source() {
    source::suite(async || {
        let database = Database::new("server-1");
        source::Subject {
            service: Arc::new(database.slot("other")),
            hand: Box::new(crate::memory_database::Hand(database)),
            table: table("questions"),
            tells_unchanged: true,
            tells: source::Tells::EachChange,
        }
    })
    .await;
}

#[tokio::test]
async fn each_slot_has_a_confirmation_of_its_own() {
    let database = filled(3);
    let (one, other) = (start(&database.slot("one")).await, start(&database.slot("other")).await);
    one.confirm(&at(3));
    other.confirm(&at(1));
    assert_eq!((database.confirmed_by("one"), database.confirmed_by("other")), (at(3), at(1)));
    assert_eq!(database.confirmed(), at(0), "its own reader never started");
    database.flush_confirmed_by("other");
    database.crash();
    assert_eq!((database.confirmed_by("one"), database.confirmed_by("other")), (at(0), at(1)));
}

#[tokio::test]
async fn nothing_is_forgotten_that_a_slot_has_not_confirmed() {
    let database = filled(3);
    start(&database.slot("one")).await.confirm(&at(3));
    let other = start(&database.slot("other")).await;
    database.flush_confirmed();
    database.forget();
    let resumed = start_after(&database.slot("other"), 0).await.1;
    assert_eq!(resumed, Started::Resumed, "the other one may begin anywhere yet");
    other.confirm(&at(1));
    database.flush_confirmed();
    database.forget();
    let gone = start_after(&database.slot("other"), 0).await.1;
    assert!(matches!(gone, Started::Lost { same_history: true, .. }), "{gone:?}");
    let (mut source, resumed) = start_after(&database.slot("other"), 1).await;
    assert_eq!(resumed, Started::Resumed);
    while !matches!(source.next().await, Ok(Step::Commit { position, .. }) if position == at(3)) {}
}

#[tokio::test]
async fn a_slot_that_nobody_started_holds_nothing_up() {
    let database = filled(2);
    start(&database.slot("one")).await.confirm(&at(2));
    let _ = Service::<dyn Source>::connect(&database.slot("other")).await.expect("a connection");
    database.flush_confirmed();
    database.forget();
    let gone = start_after(&database.slot("one"), 1).await.1;
    assert!(matches!(gone, Started::Lost { .. }), "{gone:?}");
}

/// A database with this many transactions. Each takes two positions: its part's and its commit's.
fn filled(transactions: i64) -> Database {
    let database = Database::new("server-1");
    for id in 1..=transactions {
        database.transact([insert(&table("questions"), row(id, 7, "a"))]);
    }
    database
}

/// The commit with this number.
fn at(number: u64) -> Position {
    Position::from_number(number * 2)
}

async fn start(slot: &DatabaseSlot) -> Box<dyn Source> {
    let mut source = slot.connect().await.expect("a connection");
    source.start(None).await.expect("a start");
    source
}

async fn start_after(slot: &DatabaseSlot, number: u64) -> (Box<dyn Source>, Started) {
    let mut source = slot.connect().await.expect("a connection");
    let place =
        Place { identity: "server-1".into(), position: at(number), witness: Default::default() };
    let resume = Resume { place, last: None };
    let started = source.start(Some(&resume)).await.expect("an answer");
    (source, started)
}
