//! Many writers at once, readings that are given up, and rows read beside them: what comes is the
//! table, and each answer stands where it says.

use super::super::reader::{Came, Left, Reader, apply};
use super::super::rig::Database;
use instep_connectors::postgres::{Access, PostgresRows, PostgresTriggers, Session, SourceLimits};
use model::{At, Inspect, Key, Position, Row, Sees, Selection, Service, TableName, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const WRITERS: i64 = 6;
const TIME: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_is_the_table_and_answers_stand_where_they_say() {
    let Some(database) = Database::new().await else { return };
    database.run("create table public.t (id int primary key, n int not null)").await;
    let tables = vec![TableName::from("public.t")];
    let service =
        PostgresTriggers::new(database.access.clone(), tables, "test", SourceLimits::default());
    let mut reader = Reader::fresh(&service).await;
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| tokio::spawn(write(database.access.clone(), number, over.clone())))
        .collect();
    let looks = tokio::spawn(look(database.access.clone(), over.clone()));

    // The table at every place that was reached.
    let mut left = Left::new();
    let mut reached: BTreeMap<Position, Left> = BTreeMap::new();
    let (began, mut rounds) = (Instant::now(), 0);
    while began.elapsed() < TIME {
        match reader.came().await.unwrap() {
            Came::Transaction(changes) => apply(&mut left, &changes),
            Came::Progress => {}
        }
        reached.insert(reader.resume.place.position.clone(), left.clone());
        rounds += 1;
        if rounds % 3 == 0 {
            reader.confirm();
        }
        if rounds % 20 == 0 {
            let resume = reader.resume.clone();
            drop(reader);
            reader = Reader::resumed(&service, &resume).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    let answers = looks.await.unwrap();
    let last = look_once(
        &mut *PostgresRows::new(database.access.clone())
            .recorded_for("test")
            .connect()
            .await
            .unwrap(),
    )
    .await;
    while reader.resume.place.position < last.0 {
        reader.source.mark();
        if let Came::Transaction(changes) = reader.came().await.unwrap() {
            apply(&mut left, &changes);
        }
        reached.insert(reader.resume.place.position.clone(), left.clone());
    }
    assert_eq!(left, last.2, "what came is not the table");

    // An answer that sees all readings up to the one before its place is the table at that place, but
    // for what the readings behind touched.
    let mut exact = 0;
    for (place, sees, rows) in answers {
        let Some((at, there)) = reached.range(place.clone()..).next() else { continue };
        let Sees::Upto(sees) = sees else { panic!("another kind of placement") };
        let unseen = reached.range(sees.clone()..=at.clone()).map(|(_, left)| left);
        let states: Vec<_> = unseen.collect();
        // Keys whose row is one and the same in all that it may not have seen have to be just that.
        let keys: std::collections::BTreeSet<&Key> = there.keys().chain(rows.keys()).collect();
        for key in keys {
            if states.iter().all(|state| state.get(key) == there.get(key)) {
                assert_eq!(rows.get(key), there.get(key), "{key:?} at {at:?}");
                exact += 1;
            }
        }
    }
    assert!(exact > 0, "nothing could be compared");
}

async fn write(access: Access, number: i64, over: Arc<AtomicBool>) {
    let session = Session::connect(&access).await.unwrap();
    let mut turn = number;
    while !over.load(Ordering::Relaxed) {
        turn += WRITERS;
        let (id, commit) = (turn % 40, if turn % 7 == 0 { "rollback" } else { "commit" });
        let asynchronous = if turn % 3 == 0 { "set local synchronous_commit = off;" } else { "" };
        let work = match turn % 5 {
            0 => format!("delete from public.t where id = {id}"),
            1 => format!("update public.t set id = {} where id = {id}", 40 + number),
            2 => format!("delete from public.t where id = {}", 40 + number),
            _ => format!(
                "insert into public.t values ({id}, {turn}) on conflict (id) do update \
                 set n = excluded.n"
            ),
        };
        let pause = if turn % 11 == 0 { "select pg_sleep(0.02);" } else { "" };
        let done = session.query(&format!("begin; {asynchronous} {work}; {pause} {commit}")).await;
        if done.is_err() {
            session.query("rollback").await.unwrap();
        }
    }
}

type Look = (Position, Sees, BTreeMap<Key, Row>);

async fn look(access: Access, over: Arc<AtomicBool>) -> Vec<Look> {
    let mut inspect = PostgresRows::new(access).recorded_for("test").connect().await.unwrap();
    let mut looks = Vec::new();
    while !over.load(Ordering::Relaxed) {
        looks.push(look_once(inspect.as_mut()).await);
        sleep(Duration::from_millis(7)).await;
    }
    looks
}

async fn look_once(inspect: &mut dyn Inspect) -> Look {
    let table = inspect.table(&"public.t".into()).await.unwrap().expect("a table");
    let keys: Vec<_> = (0..60).map(|id| Key::new([Value::Int(id)])).collect();
    let answer = inspect.rows(&table, &Selection::Keys(keys), 1_000).await.unwrap();
    let At::Source(placement) = answer.at else { panic!("it is a source") };
    let rows = answer.found.rows.into_iter().map(|(key, row, _)| (key, row)).collect();
    (placement.reached, placement.sees, rows)
}
