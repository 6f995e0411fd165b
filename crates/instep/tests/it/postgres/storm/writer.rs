//! A writer: one transaction after the other, of every kind, through crashes and lost connections.

use super::bank::{Bank, ITEMS};
use crate::rig::Chance;
use connectors::postgres::Session;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::sleep;

/// Shared by writers; whoever wants them all to wait takes it alone.
pub(super) const LOCK: u32 = 77;

/// Writes until it is over; how many transactions were committed.
pub(super) async fn write(bank: Arc<Bank>, number: u64, over: Arc<AtomicBool>) -> u64 {
    let (mut chance, mut committed) = (Chance::new(number), 0);
    let mut session = None;
    while !over.load(Ordering::Relaxed) {
        let Some(connected) = &session else {
            session = Session::connect(&bank.access).await.ok();
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let statements = transaction(&mut chance);
        match connected.query(&statements).await {
            Ok(_) => committed += u64::from(statements.ends_with("commit")),
            Err(_) if connected.is_closed() => session = None,
            // Two wanted the same key, or waited for each other.
            Err(_) => drop(connected.query("rollback").await),
        }
        sleep(Duration::from_millis(chance.below(15))).await;
    }
    committed
}

/// A change of every item.
const ALL: &str = "update item set n = n + 1, body = body || 'y'";

/// A table without any row would never empty its copy after a gap, which is as it should be.
const EMPTY: &str = "truncate log; insert into log values (0, 'emptied')";

fn transaction(chance: &mut Chance) -> String {
    let commits = if chance.once_in(2) { "on" } else { "off" };
    let mut statements = vec![
        format!("begin; set local synchronous_commit = {commits}; set local search_path = public"),
        format!("select pg_advisory_xact_lock_shared({LOCK})"),
    ];
    if chance.once_in(20) {
        // Too much to be sent only at its end; so is what is taken back of it.
        statements.push(format!("{ALL}; savepoint s; {ALL}; {}; rollback to s", work(chance)));
    }
    for _ in 0..=chance.below(4) {
        statements.push(work(chance));
    }
    if chance.once_in(4) {
        statements.push(format!("savepoint s; {}; rollback to s", work(chance)));
    }
    statements.push(if chance.once_in(10) { "rollback" } else { "commit" }.to_owned());
    statements.join("; ")
}

fn work(chance: &mut Chance) -> String {
    let item = chance.below(ITEMS);
    match chance.below(12) {
        0..=3 => {
            let (from, to) = (1 + chance.below(32), 33 + chance.below(32));
            let money = chance.below(50);
            format!(
                "update account set balance = balance - {money} where id = {from};
                 update account set balance = balance + {money} where id = {to}"
            )
        }
        4 | 5 => format!(
            "insert into item (id, kind, n, body) values ({item}, 'kind {}', 0, repeat('z', {}))
             on conflict (id) do update set kind = excluded.kind, n = item.n + 1",
            chance.below(5),
            chance.below(6_000)
        ),
        // The large value stays as it is.
        6 => format!("update item set n = n + 1 where id = {item}"),
        7 => format!("update item set body = body || '{item}' where id = {item}"),
        8 => format!(
            "update item set id = {} where id = {item} and not exists
             (select from item where id = {})",
            item + ITEMS,
            item + ITEMS
        ),
        9 => format!("delete from item where id in ({item}, {})", item + ITEMS),
        10 => format!("insert into log values ({}, 'wrote')", chance.below(1 << 40)),
        _ if chance.once_in(6) => EMPTY.to_owned(),
        _ => "delete from log where at % 3 = 1".to_owned(),
    }
}
