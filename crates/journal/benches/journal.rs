//! Appends against a bare loop that writes as many bytes and syncs them, on the same disk in the
//! same run. Goal: 0.85 of the bare loop.

use instep_journal::{Journal, Options, RealDisk, Threads};
use model::{
    Append, Change, Changes, Column, Commit, Epoch, Incarnation, Kind, Lane, Log, Offset, Op,
    Position, Row, Table, TransactionId, Value,
};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const ROUNDS: usize = 5;

/// How long a round runs.
const ROUND: Duration = Duration::from_millis(1_500);

/// How many appends one side does before it is the other's turn.
const TURNS: u64 = 8;

/// What one append holds.
struct Shape {
    name: &'static str,
    changes: usize,
    text_bytes: usize,
}

const SHAPES: [Shape; 3] = [
    Shape { name: "64 KiB", changes: 64, text_bytes: 1_000 },
    Shape { name: "1 MiB", changes: 1_024, text_bytes: 1_000 },
    Shape { name: "1000 changes of 256 B", changes: 1_000, text_bytes: 236 },
];

fn main() -> io::Result<()> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-journal");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build()?;
    println!(
        "{:<24} {:>9} {:>10} {:>10} {:>6}",
        "append", "bytes", "bare MB/s", "ours MB/s", "ratio"
    );
    for shape in SHAPES {
        let (mut bare_rates, mut our_rates, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        for _ in 0..ROUNDS {
            let _ = fs::remove_dir_all(&dir);
            fs::create_dir_all(&dir)?;
            let (ours, bare, each) = runtime.block_on(round(&dir, &shape))?;
            our_rates.push(ours);
            bare_rates.push(bare);
            ratios.push(ours / bare);
            bytes = each;
        }
        let (bare, ours) = (median(bare_rates), median(our_rates));
        let ratio = median(ratios);
        println!("{:<24} {bytes:>9} {bare:>10.1} {ours:>10.1} {ratio:>6.2}", shape.name);
    }
    fs::remove_dir_all(&dir)
}

/// Both sides in turns, some appends each; megabytes a second of ours and of the bare loop, and
/// the bytes of an append on the disk.
async fn round(dir: &Path, shape: &Shape) -> io::Result<(f64, f64, usize)> {
    let lane = Lane::from("bench");
    let options = Options::default();
    let journal = Journal::open(Arc::new(RealDisk), &dir.join("ours"), options, Arc::new(Threads))
        .expect("a journal in an empty directory");
    let append = |number| journal.append(&lane, vec![transaction(number, shape)], Epoch::LIVE);
    append(1).await.expect("the first append");
    let begun = journal.bounds(&lane).await.expect("bounds").bytes;
    append(2).await.expect("the second append");
    let each = journal.bounds(&lane).await.expect("bounds").bytes - begun;

    let bytes = vec![b'x'; usize::try_from(each).expect("an append is small")];
    let file = File::create(dir.join("bare"))?;
    file.write_all_at(&bytes, 0)?;
    file.sync_all()?;

    let (mut ours, mut bare, mut count) = (Duration::ZERO, Duration::ZERO, 0);
    while ours + bare < ROUND {
        for turn in 0..TURNS {
            let entries = vec![transaction(3 + count + turn, shape)];
            let start = now();
            journal.append(&lane, entries, Epoch::LIVE).await.expect("an append");
            ours += start.elapsed();
        }
        for turn in 0..TURNS {
            let start = now();
            file.write_all_at(&bytes, each * (1 + count + turn))?;
            file.sync_data()?;
            bare += start.elapsed();
        }
        count += TURNS;
    }
    Ok((rate(each * count, ours), rate(each * count, bare), bytes.len()))
}

fn transaction(number: u64, shape: &Shape) -> Append {
    let offset = Offset::whole(Incarnation(1), Position::from_number(number));
    let commit = Commit { offset, transaction: TransactionId(number), committed_at: 0 };
    let table = table();
    let changes = (0..shape.changes).map(|id| Change {
        table: Arc::clone(&table),
        op: Op::Insert(Row::new([
            Value::Int(i64::try_from(id).expect("small")),
            Value::from("x".repeat(shape.text_bytes).as_str()),
        ])),
    });
    Append::Commit(commit, Changes::Inline(changes.collect()))
}

fn table() -> Arc<Table> {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        declared: "any".into(),
        nullable: false,
        compares: model::Compares::default(),
    };
    Arc::new(Table {
        name: "public.bench".into(),
        version: 1,
        columns: vec![column("id", Kind::Int), column("body", Kind::Text)],
        key: vec![0],
    })
}

fn rate(bytes: u64, spent: Duration) -> f64 {
    let micros = u32::try_from(spent.as_micros()).expect("a round is short");
    let kilobytes = u32::try_from(bytes / 1_000).expect("a round is short");
    f64::from(kilobytes) * 1_000.0 / f64::from(micros)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn now() -> Instant {
    Instant::now()
}
