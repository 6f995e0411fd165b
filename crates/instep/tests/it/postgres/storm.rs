//! A storm: sixteen writers, and everything around them breaks. Again and again all writers are held
//! up for a moment, and everything is compared; meanwhile a sum that no transaction changes is read
//! from the copy every 50 ms.

mod audit;
mod bank;
mod writer;

use crate::rig::{Chance, Running, until};
use audit::{Audits, audits, sums};
use bank::Bank;
use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::block_in_place;
use tokio::time::{Instant, sleep};

const WRITERS: u64 = 16;

/// How many kinds of blows there are.
const KINDS: u64 = 7;

/// How long it rages; `INSTEP_STORM_SECONDS` names another time.
const SECONDS: u64 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_breaks_the_copy_is_the_database_at_the_place_that_it_names() {
    rage("log").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_breaks_the_copy_is_the_database_also_where_triggers_record_its_changes() {
    rage("triggers").await;
}

async fn rage(capture: &str) {
    let Some(bank) = Bank::open(capture) else { return };
    let bank = Arc::new(bank);
    let over = Arc::new(AtomicBool::new(false));
    let mut running = bank.run().await;
    let writers =
        (0..WRITERS).map(|number| tokio::spawn(writer::write(bank.clone(), number, over.clone())));
    let writers: Vec<_> = writers.collect();
    let sums = tokio::spawn(sums(bank.clone(), over.clone()));
    let audits = tokio::spawn(audits(bank.clone(), over.clone()));

    let seconds = env::var("INSTEP_STORM_SECONDS").ok().and_then(|it| it.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS));
    let (mut chance, mut blows) = (Chance::new(7), 0);
    // Each of them strikes once, however slow the machine is.
    while Instant::now() < end || blows < KINDS {
        sleep(Duration::from_millis(700 + chance.below(1_300))).await;
        running = strike(&bank, capture, running, blows).await;
        blows += 1;
    }
    over.store(true, Ordering::Relaxed);
    let mut written = 0;
    for writer in writers {
        written += writer.await.expect("no writer panics");
    }
    let Audits { made, .. } = audits.await.expect("no audit panics");
    let sums = sums.await.expect("no reader panics");
    // Now nobody is in the way, and all of it has to be there.
    audit::audit(&bank).await.expect("nothing breaks any more");
    running.stop().await;
    println!("{written} transactions, {blows} blows, {made} audits, {sums} sums");
    assert!(written > 20 && sums > 5, "hardly a storm");
    let log = bank.log();
    assert!(log.contains("E-SOURCE-HISTORY-LOST"), "a lost slot is declared:\n{log}");
}

/// PS14: its slot is not on the new primary, so that what is missing is declared and made up for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_standby_that_takes_over_is_followed_and_the_copy_becomes_what_it_has() {
    let Some((bank, standby)) = Bank::with_standby() else { return };
    let running = bank.run().await;
    audit::audit(&bank).await.expect("nothing breaks");
    bank.sql("insert into item select n, 'late', n, 'x' from generate_series(1000, 1099) n");
    let has_all = || standby.sql(bank.database(), "select count(*) from item") == "300";
    assert!(until("the standby has everything", has_all).await);
    // In order, as for a maintenance: whoever follows has to let the server go.
    block_in_place(|| bank.server.stop());
    block_in_place(|| standby.promote());
    let write = "update item set n = -1 where id > 1050; delete from item where id < 20";
    standby.sql(bank.database(), write);
    audit::audit(&bank).await.expect("nothing breaks any more");
    running.stop().await;
    let log = bank.log();
    assert!(log.contains("E-SOURCE-HISTORY-LOST"), "a slot that is not there is declared:\n{log}");
}

/// Breaks something; the program that runs afterwards.
async fn strike(bank: &Bank, capture: &str, running: Running, number: u64) -> Running {
    match number % KINDS {
        0 | 3 => {
            running.kill();
            return bank.run().await;
        }
        1 => bank.sql("select pg_terminate_backend(active_pid) from pg_replication_slots"),
        2 => bank.sql(if number == 2 {
            "alter table item add column extra int default 7"
        } else {
            "alter table item alter extra set default 8"
        }),
        4 => block_in_place(|| bank.server.crash()),
        5 => {
            // It goes while nobody reads it, and behind it transactions that nobody has.
            running.kill();
            let drop = match capture {
                "log" => {
                    "select pg_terminate_backend(active_pid) from pg_replication_slots;
                     select pg_sleep(0.2);
                     select pg_drop_replication_slot(slot_name) from pg_replication_slots"
                }
                _ => {
                    "do $$ declare name text; begin
                         select nspname into name from pg_namespace where nspname like 'instep%';
                         execute format('drop schema %I cascade', name); end $$"
                }
            };
            until("what is kept for us is dropped", || bank.try_sql(drop)).await;
            sleep(Duration::from_millis(200)).await;
            return bank.run().await;
        }
        _ => bank.sql(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where application_name like 'instep%' and pid <> pg_backend_pid()",
        ),
    }
    running
}
