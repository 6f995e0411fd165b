//! Another program writes all the time: no answer mixes two of its transactions, and it is never held
//! up for long.

use super::rig::{Rig, ask, keys, values};
use futures_util::future::join_all;
use model::{Audit, Kind, Selection, Value};
use rusqlite::Connection;
use std::env;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const SESSIONS: usize = 8;
const ROWS: usize = 3_000;
const TABLE: &str = "create table t (id integer primary key, round int, filling text);
     insert into t with recursive n (id) as
         (select 1 union all select id + 1 from n where id < 3000)
         select id, 0, hex(zeroblob(200)) from n;";

/// By which the other program knows that it is one, and what to do.
const FILE: &str = "INSTEP_TEST_WRITES_TO";
const OPENS_ANEW: &str = "INSTEP_TEST_OPENS_ANEW";
const ONLY: &str = "INSTEP_TEST_ONLY";
const DONE: &str = "INSTEP_TEST_DONE";

/// How long a round of the other program may wait for its lock.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// In each transaction every row gets the number of the round, so that rows of two are seen.
#[test]
fn a_round_changes_all_rows_at_once() {
    let Ok(path) = env::var(FILE) else {
        let rig = Rig::new(TABLE);
        for round in 1..3 {
            write(&open(&rig.path()));
            let ask = "select min(round) = ?1 and max(round) = ?1 from t";
            assert!(rig.hand().query_row(ask, [round], |row| row.get::<_, bool>(0)).unwrap());
        }
        return;
    };
    // It ends with whoever started it.
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_over);
    thread::spawn(move || {
        let _ = std::io::stdin().read(&mut [0]);
        seen.store(true, Ordering::Relaxed);
    });
    if let Ok(statements) = env::var(ONLY) {
        let hand = open(Path::new(&path));
        hand.execute_batch(&statements).unwrap();
        fs::write(env::var(DONE).unwrap(), "").unwrap();
        while !is_over.load(Ordering::Relaxed) {
            thread::park_timeout(Duration::from_millis(5));
        }
        return;
    }
    let (path, opens_anew) = (PathBuf::from(path), env::var(OPENS_ANEW).is_ok());
    let mut hand = open(&path);
    while !is_over.load(Ordering::Relaxed) {
        if opens_anew {
            hand.close().unwrap();
            hand = open(&path);
        }
        write(&hand);
    }
}

fn open(path: &Path) -> Connection {
    let hand = Connection::open(path).unwrap();
    hand.busy_timeout(WAIT_MAX).unwrap();
    hand.pragma_update(None, "synchronous", "off").unwrap();
    hand
}

fn write(hand: &Connection) {
    hand.execute_batch("begin immediate; update t set round = round + 1; commit").unwrap();
}

/// The other program.
pub(super) struct Writer(Child);

impl Writer {
    /// One that changes the rows round by round.
    fn start(rig: &Rig, opens_anew: bool) -> Self {
        let mut command = Self::command(rig);
        if opens_anew {
            command.env(OPENS_ANEW, "1");
        }
        Self(command.spawn().unwrap())
    }

    /// One that has run these statements, and now keeps the file open.
    pub(super) fn hold(rig: &Rig, statements: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let done = folder.path().join("done");
        let mut writer =
            Self(Self::command(rig).env(ONLY, statements).env(DONE, &done).spawn().unwrap());
        while !done.exists() {
            assert_eq!(writer.0.try_wait().unwrap(), None, "it lives");
            thread::park_timeout(Duration::from_millis(5));
        }
        writer
    }

    fn command(rig: &Rig) -> Command {
        let mut command = Command::new(env::current_exe().unwrap());
        let name = "sqlite_audit::writers::a_round_changes_all_rows_at_once";
        command.args(["--exact", name]).env(FILE, rig.path());
        command.stdin(Stdio::piped()).stdout(Stdio::null());
        command
    }

    /// Ends it; whether nothing was in its way.
    pub(super) fn end(mut self) -> bool {
        drop(self.0.stdin.take());
        self.0.wait().unwrap().success()
    }
}

async fn round(session: &mut dyn Audit) -> i64 {
    let ask = ask("t", &[("id", Kind::Int)], &[("round", Kind::Int), ("filling", Kind::Text)]);
    let rows = session.rows(&ask, &Selection::ALL, 10_000).await.unwrap();
    let Value::Int(round) = values(&rows.found[0].1)[0] else { panic!("{rows:?}") };
    assert!(rows.found.iter().all(|(_, row)| values(row)[0] == Value::Int(round)));
    assert_eq!(rows.found.len(), ROWS);
    round
}

/// Reads with several sessions at once, so that there is always one at it, until the other program has come so many rounds further.
async fn read(rig: &Rig, rounds: i64) {
    let end = round(rig.session().await.as_mut()).await + rounds;
    let watch = || async {
        let mut session = rig.session().await;
        let mut before = 0;
        loop {
            let now = round(session.as_mut()).await;
            assert!(now >= before, "what was seen once is seen from then on");
            before = now;
            if now >= end {
                return;
            }
            let ask = ask("t", &[("id", Kind::Int)], &[("round", Kind::Int)]);
            assert_eq!(keys(session.as_mut(), &ask, 777).await.len(), ROWS);
        }
    };
    let all = join_all((0..SESSIONS).map(|_| watch()));
    timeout(Duration::from_secs(120), all).await.expect("the other program comes on");
}

#[tokio::test]
async fn a_writer_at_work_is_not_held_up_and_its_transactions_are_seen_whole() {
    for mode in ["delete", "wal"] {
        let rig = Rig::new(TABLE);
        rig.hand().pragma_update(None, "journal_mode", mode).unwrap();
        let writer = Writer::start(&rig, false);
        let began = Instant::now();
        read(&rig, 50).await;
        assert!(writer.end(), "{mode}");
        println!("{mode}: 50 rounds in {:?}", began.elapsed());
        assert_eq!(rig.names().len(), 1, "{mode}");
    }
}

#[tokio::test]
async fn a_writer_that_comes_and_goes_is_seen_in_each_state_of_its_files() {
    let rig = Rig::new(TABLE);
    rig.hand().pragma_update(None, "journal_mode", "wal").unwrap();
    let writer = Writer::start(&rig, true);
    let began = Instant::now();
    read(&rig, 50).await;
    assert!(writer.end());
    println!("comes and goes: 50 rounds in {:?}", began.elapsed());
    assert_eq!(rig.names().len(), 1);
}
