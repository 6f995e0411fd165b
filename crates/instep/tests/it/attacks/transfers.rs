//! A bank: amounts move between rows and between tables, each in one transaction, so the sum over the
//! copies is the same at every moment.

use super::writer::Writers;
use crate::rig::{Chance, Pair, Rig, until_some};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::sleep;

const CONFIG: &str = "
services:
  source: { sqlite: source.db }
  target: { sqlite: target.db }
sources:
  bank: { from: source, tables: [account, vault] }
copies:
  accounts: { of: bank/account, to: target/account, create: true }
  vaults: { of: bank/vault, to: target/vault, create: true }
counts:
  accounts: { of: bank/account, by: [branch], where: amount >= 100, to: [target/rich] }
";

const PAIRS: [Pair; 3] = [
    ("select * from account order by id", "select id, branch, amount from account order by id"),
    ("select * from vault order by id", "select id, amount from vault order by id"),
    (
        "select branch, count(*) from account where amount >= 100 group by branch order by branch",
        "select branch, value from rich where count = 'accounts' order by branch",
    ),
];

/// All that there is.
pub(super) const SUM: i64 = 6_000;

/// A bank that is not followed yet.
pub(super) fn bank() -> Rig {
    let rig = Rig::new(CONFIG, &PAIRS);
    rig.write(
        "source.db",
        "
        pragma journal_mode = wal;
        create table account (id integer primary key, branch text not null, amount int not null);
        create table vault (id integer primary key, amount int not null);
        with recursive number (id) as (values (1) union all select id + 1 from number where id < 40)
        insert into account select id, 'b' || (id % 4), 100 from number;
        with recursive number (id) as (values (1) union all select id + 1 from number where id < 20)
        insert into vault select id, 100 from number;",
    );
    rig
}

/// Moves an amount.
pub(super) fn transact(connection: &Connection, chance: &mut Chance) -> rusqlite::Result<()> {
    let amount = chance.below(50);
    let row = |chance: &mut Chance| match chance.once_in(3) {
        true => {
            format!("vault set amount = amount {{}} {amount} where id = {}", 1 + chance.below(20))
        }
        false => {
            format!("account set amount = amount {{}} {amount} where id = {}", 1 + chance.below(40))
        }
    };
    let mut update = |sign| format!("update {}", row(chance).replace("{}", sign));
    let (less, more) = (update("-"), update("+"));
    connection.execute_batch(&format!("begin immediate; {less}; {more}; commit"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_the_copies_never_sees_half_a_transfer() {
    const KILLS: u64 = 6;
    let rig = Arc::new(bank());
    let mut running = rig.run().await;
    rig.converges().await;
    let writers = Writers::start(&rig, "bank", 2, 2);
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = Arc::new(AtomicU64::new(0));
    let poller = {
        let (rig, is_over, seen) = (rig.clone(), is_over.clone(), seen.clone());
        std::thread::spawn(move || poll(&rig.open("target.db"), &is_over, &seen))
    };
    let mut chance = Chance::new(2);
    for _ in 0..KILLS {
        let before = seen.load(Ordering::Relaxed);
        let moved = || (seen.load(Ordering::Relaxed) >= before + 5).then_some(());
        until_some("the copies move", moved).await.expect("the copies move");
        sleep(Duration::from_millis(chance.below(300))).await;
        running.kill();
        running = rig.run().await;
    }
    writers.end();
    rig.converges().await;
    is_over.store(true, Ordering::Relaxed);
    poller.join().expect("no half transfer was seen");
    running.stop().await;
}

/// Sums over both copies again and again; counts the states in which they are seen.
fn poll(connection: &Connection, is_over: &AtomicBool, seen: &AtomicU64) {
    let ask = "select (select sum(amount) from account) + (select sum(amount) from vault),
        (select sum(id * amount) from account)";
    let mut query = connection.prepare(ask).unwrap();
    let mut before = 0;
    while !is_over.load(Ordering::Relaxed) {
        let (sum, state): (i64, i64) =
            query.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(sum, SUM, "a transfer is seen as a whole or not at all");
        if state != before {
            seen.fetch_add(1, Ordering::Relaxed);
            before = state;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
