//! Several writers at once, large transactions, and what a follower may not do to either.

use super::rig::{Reader, Rig, open};
use instep_connectors::sqlite::SourceLimits;
use model::{Cell, Change, Op, Step, Value};
use std::thread;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const ACCOUNTS: &str = "create table accounts (id integer primary key, amount int not null);
     insert into accounts with recursive n (id) as
         (select 1 union all select id + 1 from n where id < 20) select id, 100 from n;";

#[tokio::test]
async fn each_reading_is_a_union_of_whole_transactions_of_all_writers() {
    for journal in ["wal", "delete"] {
        let rig = Rig::new(ACCOUNTS);
        rig.open().pragma_update(None, "journal_mode", journal).unwrap();
        let mut reader = rig.follow(&["accounts"]).await;
        reader.tables.insert("accounts".into(), rig.rows("accounts").await);
        let writers: Vec<_> = (0..2).map(|seed| write_on(&rig, seed)).collect();
        let mut readings = 0;
        while writers.iter().any(|writer| !writer.is_finished()) || readings == 0 {
            reader.step().await;
            readings += 1;
            let total: i64 = reader.rows("accounts").values().map(|row| amount(&row.0[1])).sum();
            assert_eq!(total, 2_000, "money is neither made nor lost at any moment");
        }
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        reader.catch_up(&rig).await;
        assert_eq!(reader.rows("accounts"), rig.rows("accounts").await);
    }
}

/// Moves money about, and ends with a transaction that is always seen.
fn write_on(rig: &Rig, seed: usize) -> thread::JoinHandle<()> {
    let path = rig.path();
    thread::spawn(move || {
        let user = open(&path);
        user.execute_batch("pragma synchronous = off").expect("it works");
        for round in 0..150 {
            let (from, to) = (1 + (round * 7 + seed) % 20, 1 + (round * 3 + 5 * seed) % 20);
            let transfer = format!(
                "begin immediate; update accounts set amount = amount - 1 where id = {from};
                 update accounts set amount = amount + 1 where id = {to}; commit"
            );
            user.execute_batch(&transfer).expect("it works");
        }
    })
}

fn amount(cell: &Cell) -> i64 {
    let Cell::Value(Value::Int(amount)) = cell else { panic!("an amount: {cell:?}") };
    *amount
}

const MANY: i64 = 20_000;

fn many(change: &str) -> String {
    format!(
        "with recursive n (id) as (select 1 union all select id + 1 from n where id < {MANY}) {change}"
    )
}

#[tokio::test]
async fn a_large_transaction_comes_in_bounded_parts_and_holds_no_lock_meanwhile() {
    let rig = Rig::empty();
    rig.write("create table t (id integer primary key, a text)");
    let limits = SourceLimits { part_bytes_max: 64 << 10, ..SourceLimits::default() };
    let part_bytes_max = limits.part_bytes_max;
    let service = rig.service_with(&["t"], limits);
    let mut reader = Reader::begin(&service).await;
    rig.write(&many("insert into t select id, 'text ' || id from n"));
    let token = rig.token();
    // A part is there, others are to come: whoever writes in the rollback journal mode would wait
    // for a reader that still has its snapshot.
    let first = reader.source.next().await.unwrap();
    let user = rig.open();
    user.busy_timeout(Duration::ZERO).unwrap();
    user.execute_batch("insert into t values (100000, 'meanwhile')").unwrap();
    let Step::Part { changes, .. } = first else { panic!("a part: {first:?}") };
    let told = changes.len();
    reader.reach(&token).await;
    let parts = std::mem::take(&mut reader.parts);
    assert_eq!(told + parts.iter().map(Vec::len).sum::<usize>(), usize::try_from(MANY).unwrap());
    let largest = parts[0].iter().map(Change::bytes).max().unwrap();
    for part in &parts {
        assert!(part.iter().map(Change::bytes).sum::<usize>() < part_bytes_max + 2 * largest);
    }
    let half = "delete from t where id % 2; update t set a = 'b'";
    rig.write(&format!("begin; {half}; commit"));
    reader.catch_up(&rig).await;
    let is_gone = |change: &Change| matches!(change.op, Op::Delete(_));
    let told: Vec<_> = reader.parts.iter().flatten().map(is_gone).collect();
    assert!(told.is_sorted_by(|one, other| one >= other), "what is gone comes first");
    assert_eq!(reader.rows("t"), rig.rows("t").await);
}

#[tokio::test]
async fn a_marker_waits_while_another_writer_is_at_work() {
    let rig = Rig::new(ACCOUNTS);
    let mut reader = rig.follow(&["accounts"]).await;
    let user = rig.open();
    user.execute_batch("begin immediate; update accounts set amount = 0 where id = 1").unwrap();
    let before = reader.place.position.clone();
    reader.source.mark();
    let wait = Duration::from_millis(200);
    let early = timeout(wait, reader.step()).await;
    assert!(early.is_err(), "neither a step nor a fault");
    user.execute_batch("rollback").unwrap();
    reader.step().await;
    assert!(reader.place.position > before);
    assert_eq!(reader.last, None, "nothing but the marker");
}

/// The source's clock goes on where nothing changes, so that a number can say how fresh it is.
#[tokio::test]
async fn an_idle_file_is_said_to_have_nothing_new() {
    let rig = Rig::new(ACCOUNTS);
    let mut reader = rig.follow(&["accounts"]).await;
    let mut times = Vec::new();
    while times.len() < 2 {
        let step = timeout(Duration::from_secs(20), reader.source.next());
        match step.await.expect("a step comes").expect("it works") {
            Step::Progress { position, source_time } if position == reader.place.position => {
                times.push(source_time);
            }
            Step::Progress { position, .. } => reader.place.position = position,
            other => panic!("nothing has changed: {other:?}"),
        }
    }
    assert!(times[0] > 1_000_000_000_000_000 && times[1] > times[0], "{times:?}");
}

/// Decision 13.
#[tokio::test]
async fn a_file_gets_at_most_one_marker_a_second_however_often_it_is_asked() {
    let rig = Rig::new(ACCOUNTS);
    let mut reader = rig.follow(&["accounts"]).await;
    let last = || rig.number("select seq from sqlite_sequence where name = 'instep_changes'");
    let before = last();
    let began = Instant::now();
    // Two markers, and what would be more if they were not bounded.
    while last() < before + 2 {
        reader.source.mark();
        let _ = timeout(Duration::from_millis(5), reader.source.next()).await;
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "markers come as long as they are asked for"
        );
    }
    let written = u64::try_from(last() - before).unwrap();
    let seconds = began.elapsed().as_secs();
    assert!((1..=seconds + 1).contains(&written) && seconds >= 1, "{written} in {seconds} s");
}
