//! Processes that write to a source, as an application of several processes does. They are this test
//! program itself, run anew for one test that finds out by a variable what to do.

use super::{school, transfers};
use crate::rig::{Chance, Rig, open, until};
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::sleep;

/// What a writer does, and where; set for processes that are one.
const TASK: &str = "INSTEP_TEST_WRITER";

/// Processes that write; their end is asked for and waited for.
#[derive(Debug)]
pub(super) struct Writers(Vec<Child>);

impl Writers {
    /// Starts so many writers over a file. Each has a seed of its own, and writes until its standard
    /// input is closed.
    pub(super) fn start(rig: &Rig, work: &str, count: u64, seed: u64) -> Self {
        let writer = |number| {
            let path = rig.path("source.db");
            let task = format!("{work} {} {}", seed * 100 + number, path.display());
            let mut command = Command::new(std::env::current_exe().unwrap());
            let test =
                "attacks::writer::a_writer_is_a_process_that_writes_until_it_is_asked_to_end";
            command.args(["--exact", test]).env(TASK, task);
            command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
        };
        Self((1..=count).map(writer).collect())
    }

    /// Ends all of them; each has to have gone well.
    pub(super) fn end(mut self) {
        for mut child in self.0.drain(..) {
            drop(child.stdin.take());
            assert!(child.wait().unwrap().success(), "a writer failed");
        }
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Run anew with a task, this is the writer.
#[tokio::test]
async fn a_writer_is_a_process_that_writes_until_it_is_asked_to_end() {
    if let Ok(task) = std::env::var(TASK) {
        return write(&task).await;
    }
    let rig = transfers::bank();
    let balances = || rig.ask("source.db", "select amount from account order by id");
    let before = balances();
    let writers = Writers::start(&rig, "bank", 2, 1);
    assert!(until("something is written", || balances() != before).await);
    writers.end();
    let sum = "select sum(amount) from (select amount from account
               union all select amount from vault)";
    assert_eq!(rig.ask("source.db", sum), Some(vec![transfers::SUM.to_string()]));
}

async fn write(task: &str) {
    let mut words = task.splitn(3, ' ');
    let mut word = || words.next().unwrap();
    let (work, seed, path) = (word(), word().parse().unwrap(), Path::new(word()));
    let connection = open(path);
    connection.execute_batch("pragma synchronous = normal").unwrap();
    let mut chance = Chance::new(seed);
    let (ended, is_over) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // Ends when the parent has closed it, or is no more.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = ended.send(());
    });
    while is_over.try_recv().is_err() {
        let done = match work {
            "bank" => transfers::transact(&connection, &mut chance),
            _ => school::transact(&connection, &mut chance),
        };
        done.unwrap();
        sleep(Duration::from_millis(chance.below(8))).await;
    }
}
