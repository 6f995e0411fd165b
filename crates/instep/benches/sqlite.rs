//! The program from end to end, over SQLite files: what was written to a source while it was down is
//! captured, logged, copied and counted, against a bare loop of prepared upserts of the same rows in
//! transactions of one size, on the same disk in the same run. Goal: 0.5 of the bare loop at 100 and
//! 1,000 rows a transaction; less than 64 MiB of memory for a million rows.

use engine::push::lanes_at;
use model::codec::memo::read_offset;
use model::{Lane, Offset};
use rusqlite::{Connection, OptionalExtension, params};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 3;

/// Rows of one round, by the rows of a transaction.
const SHAPES: [(usize, i64); 3] = [(1, 50_000), (100, 200_000), (1_000, 200_000)];

/// Rows whose memory is measured.
const MANY: i64 = 1_000_000;

const GLANCE: Duration = Duration::from_millis(2);

const CONFIG: &str = "
version: 1
data_dir: data
listen: 127.0.0.1:0
services:
  source: { sqlite: source.db }
  target: { sqlite: target.db }
sources:
  shop: { from: source, tables: [item] }
copies:
  items: { of: shop/item, to: target/item, create: true }
counts:
  items: { of: shop/item, by: [kind], to: [target/item_count] }
";

fn main() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-sqlite");
    println!("rows of 3 columns and about 200 B; medians of {ROUNDS} rounds\n");
    println!("| rows a transaction | bare rows/s | ours rows/s | ratio |");
    println!("|---|---|---|---|");
    for (size, rows) in SHAPES {
        let rounds = (0..ROUNDS).map(|_| round(&dir, size, rows));
        let (bare, ours): (Vec<_>, Vec<_>) = rounds.unzip();
        let ratios = bare.iter().zip(&ours).map(|(bare, ours)| ours / bare).collect();
        let (bare, ours, ratio) = (median(bare), median(ours), median(ratios));
        println!("| {size} | {bare:.0} | {ours:.0} | {ratio:.2} |");
    }
    println!("\n{MANY} rows of about 200 B, filled and then updated in one transaction\n");
    println!("| what | rows/s | peak memory, MiB |");
    println!("|---|---|---|");
    many(&dir);
    fs::remove_dir_all(&dir).expect("our own folder goes");
}

/// Both sides once; rows a second of the bare loop and of ours.
fn round(dir: &Path, size: usize, rows: i64) -> (f64, f64) {
    let place = Place::new(dir);
    let source = place.open("source.db");
    make(&source);
    // It fills the copy of an empty table, and is stopped.
    let running = Running::start(&place);
    running.reach(&place, 0);
    running.stop();
    insert(&source, size, rows);
    let bare = place.open("bare.db");
    make(&bare);
    let began = now();
    insert(&bare, size, rows);
    let of_bare = began.elapsed();
    let end = token(&source);
    let began = now();
    let running = Running::start(&place);
    running.reach(&place, end);
    let ours = began.elapsed();
    running.stop();
    let count = "select count(*) from item";
    let copied: i64 =
        place.open("target.db").query_row(count, [], |row| row.get(0)).expect("a copy");
    assert_eq!(copied, rows, "every row arrived");
    (rate(rows, of_bare), rate(rows, ours))
}

/// A million rows: filled, then all of them changed at once.
fn many(dir: &Path) {
    let place = Place::new(dir);
    let source = place.open("source.db");
    make(&source);
    insert(&source, 10_000, MANY);
    let began = now();
    let running = Running::start(&place);
    running.reach(&place, 0);
    println!("| filled | {:.0} | {} |", rate(MANY, began.elapsed()), running.peak());
    let update = "update item set body = 'n' || substr(body, 2)";
    source.execute(update, []).expect("an update of all");
    let (end, began) = (token(&source), now());
    running.reach(&place, end);
    println!("| updated | {:.0} | {} |", rate(MANY, began.elapsed()), running.peak());
    running.stop();
}

fn make(connection: &Connection) {
    let make = "pragma journal_mode = wal; pragma synchronous = normal;
        create table item (id integer primary key, kind text not null, body text)";
    connection.execute_batch(make).expect("a table");
}

/// Upserts of rows that are not there yet, in transactions of this size.
fn insert(connection: &Connection, size: usize, rows: i64) {
    let upsert = "insert into item (id, kind, body) values (?1, ?2, ?3) on conflict (id)
        do update set kind = excluded.kind, body = excluded.body";
    let mut upsert = connection.prepare(upsert).expect("an upsert");
    let body = "b".repeat(180);
    let mut ids = 1..=rows;
    loop {
        let ids: Vec<_> = ids.by_ref().take(size).collect();
        if ids.is_empty() {
            return;
        }
        connection.execute_batch("begin immediate").expect("a transaction");
        for id in ids {
            let kind = format!("kind {}", id % 100);
            upsert.execute(params![id, kind, body]).expect("a row");
        }
        connection.execute_batch("commit").expect("a commit");
    }
}

/// What a writer reads as the position of what it wrote.
fn token(source: &Connection) -> u64 {
    let token = "select seq from sqlite_sequence where name = 'instep_changes'";
    let token: i64 = source.query_row(token, [], |row| row.get(0)).expect("a followed source");
    token.unsigned_abs()
}

/// A directory of its own.
struct Place(PathBuf);

impl Place {
    fn new(dir: &Path) -> Self {
        let _ = fs::remove_dir_all(dir);
        fs::create_dir_all(dir).expect("a folder");
        fs::write(dir.join("instep.yaml"), CONFIG).expect("a configuration");
        Self(dir.to_owned())
    }

    fn open(&self, name: &str) -> Connection {
        let connection = Connection::open(self.0.join(name)).expect("a file");
        connection.busy_timeout(Duration::from_secs(60)).expect("patience");
        connection
    }
}

/// The program.
struct Running(Child);

impl Running {
    fn start(place: &Place) -> Self {
        let log = fs::File::create(place.0.join("log")).expect("a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        command.arg("run").current_dir(&place.0).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the program");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its words")).read_line(&mut line).expect("one");
        assert!(line.starts_with("ready"), "{line}");
        Self(child)
    }

    /// Waits until copy and count have come to a position, and the copy is filled.
    fn reach(&self, place: &Place, position: u64) {
        while !has_reached(place, position).unwrap_or(false) {
            std::thread::park_timeout(GLANCE);
        }
    }

    /// The most memory that it had, in MiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = peak.and_then(|it| it.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.expect("Linux says so") >> 10
    }

    fn stop(mut self) {
        let kill = format!("kill -TERM {}", self.0.id());
        Command::new("sh").args(["-c", &kill]).status().expect("a shell");
        assert!(self.0.wait().expect("its end").success());
    }
}

fn has_reached(place: &Place, position: u64) -> rusqlite::Result<bool> {
    if !place.0.join("target.db").exists() {
        return Ok(false);
    }
    let target = place.open("target.db");
    let watermark = |lane: &str| -> rusqlite::Result<Option<Offset>> {
        let ask = "select watermark from instep_watermarks where lane = ?1";
        let bytes = target.query_row(ask, [lane], |row| row.get::<_, Vec<u8>>(0)).optional()?;
        Ok(bytes.and_then(|bytes| read_offset(&bytes).ok()))
    };
    let is_there = |at: Option<&Offset>| {
        at.is_some_and(|at| !at.is_inside() && at.position.to_number() >= Some(position))
    };
    let ask = "select count(*) from instep_passes where lane = 'shop/source' and purpose is null";
    let filled: i64 = target.query_row(ask, [], |row| row.get(0))?;
    let pushed = watermark("count items in target/item_count")?;
    let pushed = pushed.and_then(|it| lanes_at(&it)?.remove(&Lane::from("shop/source")));
    let copied = watermark("shop/source")?;
    Ok(filled == 1 && is_there(copied.as_ref()) && is_there(pushed.as_ref()))
}

fn rate(rows: i64, took: Duration) -> f64 {
    f64::from(i32::try_from(rows).expect("some rows")) / took.as_secs_f64()
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}
