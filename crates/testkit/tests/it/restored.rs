//! A memory database that goes back to a backup of itself, or becomes another server.

use instep_testkit::conformance::rows::{insert, key, row, rows, table, update};
use instep_testkit::memory::database::Database;
use model::{
    Commit, Fate, Identity, Incarnation, Inspect, Offset, Place, Position, Resume, Selection,
    Service, Source, Started, Step, TransactionId,
};

#[tokio::test]
async fn a_restored_server_has_what_it_had_and_gives_its_positions_out_again() {
    let database = Database::new("server-1");
    database.transact([insert(&table("t"), row(1, 7, "a"))]);
    let (committed, end) = (database.committed(), database.end());
    let saved = database.save();
    let next = database.begin();
    database.write(next, next, update(&table("t"), 1, row(1, 7, "b")));
    let first = database.commit(next);
    database.show(next);
    database.restore(&saved);
    assert_eq!((database.committed(), database.end()), (committed, end));
    let again = database.begin();
    assert_eq!(again, next);
    database.write(again, again, insert(&table("t"), row(2, 7, "c")));
    assert_eq!(database.commit(again), first);
    database.show(again);
    let expected = rows([row(1, 7, "a"), row(2, 7, "c")]);
    assert_eq!(database.committed()[&"t".into()], expected);
}

#[tokio::test]
async fn what_was_open_in_a_backup_is_rolled_back_and_what_was_committed_is_visible() {
    let database = Database::new("server-1");
    let [open, unseen] = [database.begin(), database.begin()];
    database.write(open, open, insert(&table("t"), row(1, 7, "open")));
    database.write(unseen, unseen, insert(&table("t"), row(2, 7, "unseen")));
    database.commit(unseen);
    let saved = database.save();
    database.commit(open);
    database.restore(&saved);
    let mut session = Service::<dyn Inspect>::connect(&database).await.expect("a session");
    let answer = session.rows(&table("t"), &Selection::ALL, 10).await.expect("rows");
    let keys: Vec<_> = answer.found.rows.into_iter().map(|(key, ..)| key).collect();
    assert_eq!(keys, [key(2)]);
}

#[tokio::test]
async fn a_restore_ends_connections_and_takes_confirmations_back_but_not_the_clock() {
    let database = Database::new("server-1");
    let mut source = start(&database).await;
    let first = database.transact([insert(&table("t"), row(1, 7, "a"))]);
    source.confirm(&first);
    database.flush_confirmed();
    let saved = database.save();
    let second = database.transact([insert(&table("t"), row(2, 7, "b"))]);
    let before = [step(&mut *source).await, step(&mut *source).await].map(|it| it.committed_at);
    source.confirm(&second);
    database.flush_confirmed();
    database.restore(&saved);
    assert_eq!(source.next().await.expect_err("a dead connection").fate, Fate::Retry);
    assert_eq!(database.confirmed(), first);
    let mut source = resume(&database, &first, None).await.0;
    database.transact([insert(&table("t"), row(2, 7, "b"))]);
    assert!(step(&mut *source).await.committed_at > before[1]);
}

#[tokio::test]
async fn a_reader_is_told_when_its_history_is_not_the_one_of_a_restored_server() {
    let database = Database::new("server-1");
    let mut source = start(&database).await;
    database.transact([insert(&table("t"), row(1, 7, "a"))]);
    let first = step(&mut *source).await;
    let saved = database.save();
    database.transact([insert(&table("t"), row(2, 7, "b"))]);
    let second = step(&mut *source).await;
    let at_second = second.offset.position.clone();
    database.restore(&saved);
    is_restored(&resume(&database, &at_second, Some(&second)).await.1, "above its end");
    // The position comes again, with another transaction; then with none.
    database.transact([insert(&table("t"), row(3, 7, "c"))]);
    is_restored(&resume(&database, &at_second, Some(&second)).await.1, "another one");
    let nowhere = Offset { position: Position::from_number(1), ..second.offset.clone() };
    let nowhere = Commit { offset: nowhere, ..second };
    is_restored(&resume(&database, &at_second, Some(&nowhere)).await.1, "none");
    // Who came no further than the backup may go on, also when the server has forgotten since.
    assert_eq!(resume(&database, &first.offset.position, Some(&first)).await.1, Started::Resumed);
    database.forget_all();
    let gone = resume(&database, &first.offset.position, Some(&first)).await.1;
    assert!(matches!(gone, Started::Lost { same_history: true, .. }), "{gone:?}");
    // What was committed there since is not what the reader has there: nothing.
    is_restored(&resume(&database, &database.end(), Some(&first)).await.1, "one in between");
}

#[tokio::test]
async fn an_emptied_server_counts_from_the_start_and_still_has_its_tables() {
    let database = Database::new("server-1");
    let first = database.transact([insert(&table("t"), row(1, 7, "a"))]);
    database.become_another("server-2");
    database.empty();
    assert_eq!((database.end(), database.committed().len()), (Position::from_number(0), 0));
    let mut session = Service::<dyn Inspect>::connect(&database).await.expect("a session");
    assert_eq!(session.table(&"t".into()).await.expect("an answer"), Some(table("t")));
    let transaction = database.begin();
    assert_eq!(transaction, TransactionId(1));
    database.write(transaction, transaction, insert(&table("t"), row(5, 7, "e")));
    assert_eq!(database.commit(transaction), first);
    let mut source = Service::<dyn Source>::connect(&database).await.expect("a connection");
    let place = Place {
        identity: Identity::from("server-1"),
        position: first,
        witness: Default::default(),
    };
    let started = source.start(Some(&Resume { place, last: None })).await;
    assert_eq!(started.expect_err("another server").fate, Fate::Lost);
}

fn is_restored(started: &Started, why: &str) {
    let Started::Lost { why: told, same_history: false, .. } = started else {
        panic!("{why}: {started:?}");
    };
    assert!(told.contains("restored"), "{why}: {told}");
}

async fn start(database: &Database) -> Box<dyn Source> {
    let mut source = Service::<dyn Source>::connect(database).await.expect("a connection");
    source.start(None).await.expect("a start");
    source
}

async fn resume(
    database: &Database,
    after: &Position,
    last: Option<&Commit>,
) -> (Box<dyn Source>, Started) {
    let mut source = Service::<dyn Source>::connect(database).await.expect("a connection");
    let place = Place {
        identity: Identity::from("server-1"),
        position: after.clone(),
        witness: Default::default(),
    };
    let resume = Resume { place, last: last.cloned() };
    let started = source.start(Some(&resume)).await.expect("an answer");
    (source, started)
}

/// The next commit.
async fn step(source: &mut dyn Source) -> Commit {
    loop {
        let step = source.next().await.expect("a step");
        if let Step::Commit { transaction, position, committed_at } = step {
            let offset = Offset::whole(Incarnation(1), position);
            return Commit { offset, transaction, committed_at };
        }
    }
}
