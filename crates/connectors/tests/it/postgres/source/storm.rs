//! Many writers who do everything at once, and a reader that is killed again and again: what came is
//! what the tables hold.

use super::super::rig::Database;
use super::rig::{Came, Reader, followed_within, limits, server};
use instep_connectors::postgres::{PostgresSource, Session, SourceLimits};
use model::{Fate, Resume};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::timeout;

/// Numbers that look random, the same ones for each seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

const TABLES: &str =
    "create table public.t (id int, part int, v text, large text, primary key (id, part))
        partition by range (part);
    create table public.low partition of public.t for values from (0) to (5);
    create table public.high partition of public.t for values from (5) to (100);
    create table public.u (id int primary key, v text, large text);
    alter table public.u alter large set storage external;
    alter table public.high alter large set storage external;
    alter table public.low replica identity full;
    create table public.other (id serial primary key, v text)";

const WRITERS: u64 = 4;

/// PS1, PS5, PC1, PC5, PC18, PC19, PC23.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_written_and_wherever_a_reader_is_killed_what_came_is_what_is_there() {
    let lines = ["logical_decoding_work_mem = 64kB", "max_prepared_transactions = 20"];
    let Some(server) = server(&lines) else { return };
    let mut aborts = 0;
    for seed in [1, 2, 3] {
        let database = Database::of(&server).await.expect("a database");
        database.run(TABLES).await;
        let limits = SourceLimits { part_bytes_max: 4 << 10, ..limits() };
        let service = followed_within(&database, &["public.t", "public.u"], limits);
        let reader = Reader::fresh(&service).await;
        let mut writers = tokio::task::JoinSet::new();
        for number in 0..WRITERS {
            let session = database.another().await;
            writers.spawn(write(session, number, Dice(seed * 1_000 + number)));
        }
        let done = AtomicBool::new(false);
        let read = read(&service, reader, Dice(seed), &done);
        let (mut reader, ()) = tokio::join!(read, async {
            while let Some(written) = writers.join_next().await {
                written.unwrap();
            }
            done.store(true, Ordering::Release);
        });
        for table in ["public.t", "public.u"] {
            reader.equals(&database, table).await;
        }
        assert!(reader.open.is_empty(), "{:?}", reader.open.keys());
        aborts += reader.aborts;
    }
    assert!(aborts > 0, "transactions came while they were open");
}

/// Does this and that in transactions.
async fn write(session: Session, writer: u64, mut dice: Dice) {
    for round in 0..80 {
        let mut statements = vec!["begin".to_owned()];
        for _ in 0..=dice.roll(4) {
            statements.push(statement(writer, &mut dice));
        }
        if dice.roll(3) == 0 {
            statements.push("savepoint s".into());
            statements.push(statement(writer, &mut dice));
            statements.push(["rollback to s", "release s"][usize::from(dice.roll(2) == 0)].into());
            statements.push(statement(writer, &mut dice));
        }
        let name = format!("w{writer}_{round}_{}", std::process::id());
        match dice.roll(10) {
            0 => statements.push("rollback".into()),
            1 => {
                statements.push(format!("prepare transaction '{name}'"));
                let end = ["commit", "rollback"][usize::from(dice.roll(2) == 0)];
                statements.push(format!("{end} prepared '{name}'"));
            }
            _ => statements.push("commit".into()),
        }
        for statement in statements {
            if let Err(trouble) = session.query(&statement).await {
                // Writers get in each other's way; a broken transaction is nobody's.
                let state = &trouble.refused().expect("the server says why").sqlstate;
                assert!(["40P01", "23505"].contains(&state.as_str()), "{statement}: {trouble}");
                session.query("rollback").await.unwrap();
                break;
            }
        }
    }
}

/// Statements about rows of one's own, now and then about all.
fn statement(writer: u64, dice: &mut Dice) -> String {
    let (id, other) = (writer * 1_000 + dice.roll(30), writer * 1_000 + dice.roll(30));
    let (part, from) = (dice.roll(10), writer * 1_000 + 100 + dice.roll(100) * 5);
    let table = ["public.t", "public.u"][usize::from(dice.roll(2) == 0)];
    let large = "repeat(md5(random()::text), 200)";
    match dice.roll(16) {
        0..=2 => format!(
            "insert into public.t values ({id}, {part}, md5(random()::text), {large}) on conflict do nothing"
        ),
        3..=5 => format!(
            "insert into public.u values ({id}, md5(random()::text), {large}) on conflict do nothing"
        ),
        6 | 7 => format!("update {table} set v = md5(random()::text) where id = {id}"),
        8 => format!("update {table} set large = {large} where id = {id}"),
        9 => format!(
            "update public.u set id = {other} where id = {id} and not exists (select from public.u where id = {other})"
        ),
        10 => format!(
            "update public.t set part = {part} where id = {id} and not exists (select from public.t where id = {id} and part = {part})"
        ),
        11 => format!("delete from {table} where id = {id}"),
        12 => format!(
            "insert into public.u select i, 'many', 'y' from generate_series({from}, {from} + 400) i on conflict do nothing"
        ),
        13 => format!("delete from {table} where id > {from} and id < {} ", writer * 1_000 + 1_000),
        14 => "insert into public.other (v) select 'x' from generate_series(1, 50)".to_owned(),
        _ => ["select pg_logical_emit_message(true, 'a', 'b')", "truncate public.u"]
            [usize::from(dice.roll(6) == 0)]
        .to_owned(),
    }
}

/// Reads until the writers are done, and is killed now and then: then it goes on from what is durable,
/// which is less than what it read; what was confirmed is less still.
async fn read(
    service: &PostgresSource,
    mut reader: Reader,
    mut dice: Dice,
    done: &AtomicBool,
) -> Reader {
    let mut durable: (Resume, super::rig::Copies) = (reader.resume.clone(), Default::default());
    let mut kills = 0;
    loop {
        for _ in 0..=dice.roll(80) {
            // Dropped at any moment: nothing may be lost or doubled by that.
            let patience = Duration::from_micros(dice.roll(3_000));
            let stepped = timeout(patience, reader.source.next()).await;
            match stepped {
                Err(_) => {}
                Ok(Ok(step)) => {
                    let came = reader.take(step);
                    assert_eq!(reader.odd, [""; 0]);
                    let is_whole = matches!(came, Came::Transaction(_) | Came::Progress);
                    if is_whole && dice.roll(4) == 0 {
                        if dice.roll(2) == 0 {
                            reader.source.confirm(&durable.0.place.position);
                        }
                        durable = (reader.resume.clone(), reader.copies.clone());
                    }
                }
                Ok(Err(fault)) => panic!("{fault}"),
            }
        }
        if done.load(Ordering::Acquire) {
            println!("killed {kills} times");
            assert!(kills > 0, "it was never killed");
            return reader;
        }
        kills += 1;
        let aborts = reader.aborts;
        drop(reader);
        reader = loop {
            let resumed = Reader::try_resumed(service, &durable.0).await;
            match resumed {
                Ok(reader) => break reader,
                // The server has not seen yet that we are gone.
                Err(fault) => assert_eq!(fault.fate, Fate::Retry, "{fault}"),
            }
        };
        reader.copies = durable.1.clone();
        reader.aborts = aborts;
    }
}
