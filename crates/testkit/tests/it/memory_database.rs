//! The memory database as a source, and as something to inspect.

use async_trait::async_trait;
use instep_testkit::conformance::rows::{insert, row, table, update};
use instep_testkit::conformance::{inspect, source};
use instep_testkit::memory::database::Database;
use model::{At, Change, Inspect, Placement, Selection, Service, Table};
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn the_memory_database_keeps_the_promises_of_a_source() {
    for delivers_again in [false, true] {
        source::suite(async || {
            let database = Database::new("server-1");
            database.deliver_again(delivers_again);
            source::Subject {
                service: Arc::new(database.clone()),
                hand: Box::new(Hand(database)),
                table: table("questions"),
                tells_unchanged: true,
                tells: source::Tells::EachChange,
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_memory_database_keeps_the_promises_of_inspection() {
    inspect::suite(async || {
        let database = Database::new("server-1");
        let table = table("questions");
        database.transact(inspect::filled().into_iter().map(|row| insert(&table, row)));
        inspect::Subject { service: Arc::new(database), table, is_source: true }
    })
    .await;
}

#[tokio::test]
async fn an_answer_leaves_out_exactly_the_transactions_that_it_does_not_see() {
    let database = Database::new("server-1");
    let table = table("questions");
    let seen = database.begin();
    database.write(seen, seen, insert(&table, row(1, 7, "seen")));
    let seen_at = database.commit(seen);
    database.show(seen);
    // Its commit is in the history, and delivered, before any session can see it.
    let unseen = database.begin();
    database.write(unseen, unseen, insert(&table, row(2, 7, "unseen")));
    let unseen_at = database.commit(unseen);
    let open = database.begin();
    let mut session = Service::<dyn Inspect>::connect(&database).await.expect("a session");
    let answer = session.rows(&table, &Selection::ALL, 10).await.expect("rows");
    assert_eq!(answer.found.rows.len(), 1);
    let At::Source(Placement { reached, sees }) = answer.at else { panic!("a source's answer") };
    assert!(reached >= unseen_at, "an LSN alone would say that it is in");
    assert!(sees.contains(&seen_at, seen));
    assert!(!sees.contains(&unseen_at, unseen));
    database.roll_back(open);
    database.show(unseen);
    let answer = session.rows(&table, &Selection::ALL, 10).await.expect("rows");
    let At::Source(Placement { sees, .. }) = answer.at else { panic!("a source's answer") };
    assert!(sees.contains(&unseen_at, unseen));
    assert_eq!(answer.found.rows.len(), 2);
}

#[tokio::test]
async fn a_table_is_known_in_its_newest_version_once_it_is_declared_or_written() {
    let database = Database::new("server-1");
    let mut session = Service::<dyn Inspect>::connect(&database).await.expect("a session");
    let [first, second] =
        [1, 2].map(|version| Arc::new(Table { version, ..Table::clone(&table("questions")) }));
    assert_eq!(session.table(&first.name).await.expect("an answer"), None);
    let answer = session.rows(&first, &Selection::ALL, 10).await.expect("rows");
    assert_eq!(answer.found.rows, []);
    database.define(&first);
    assert_eq!(session.table(&first.name).await.expect("an answer"), Some(first.clone()));
    let open = database.begin();
    database.write(open, open, insert(&second, row(1, 7, "a")));
    assert_eq!(session.table(&first.name).await.expect("an answer"), Some(first.clone()));
    database.commit(open);
    database.define(&first);
    assert_eq!(session.table(&first.name).await.expect("an answer"), Some(second));
}

#[tokio::test]
async fn a_row_lock_shows_the_earlier_writer_before_the_later_one_commits() {
    let database = Database::new("server-1");
    let table = table("questions");
    let first = database.begin();
    database.write(first, first, insert(&table, row(1, 7, "first")));
    database.commit(first);
    database.transact([update(&table, 1, row(1, 8, "second"))]);
    let mut session = Service::<dyn Inspect>::connect(&database).await.expect("a session");
    let answer = session.rows(&table, &Selection::ALL, 10).await.expect("rows");
    assert_eq!(answer.found.rows[0].1, row(1, 8, "second"));
}

/// Writes to a memory database.
pub(crate) struct Hand(pub(crate) Database);

#[async_trait]
impl source::Hand for Hand {
    async fn transact(&self, changes: Vec<Change>) {
        self.0.transact(changes);
    }

    async fn roll_back(&self, changes: Vec<Change>) {
        let transaction = self.0.begin();
        for change in changes {
            self.0.write(transaction, transaction, change);
        }
        self.0.stream(transaction);
        self.0.roll_back(transaction);
    }

    async fn forget_all(&self) -> bool {
        self.0.forget_all();
        true
    }
}
