//! The judge: whether the copies are their sources, row by row with their owners.

use super::blow::logs;
use super::world::{SHARDS, World};
use crate::postgres::two_instances::instep::Instep;
use crate::rig::until;
use serde_json::{Value, json};
use std::time::Duration;

/// The columns of each table that is copied.
const TABLES: [(&str, &str); 2] = [
    ("topic", "id, name, n, stamp"),
    ("question", "id, topic_id, place, kind, weight, body, stamp"),
];

const KINDS: &str = "select kind, value from counted.kinds order by kind";

/// Waits until everything is equal and nothing is held, with patience for all that was put off.
pub(super) async fn converges(world: &World, insteps: &[Instep; 2]) {
    let mut found = differences(world);
    for _ in 0..600 {
        if found.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        found = differences(world);
    }
    let books = world.ask_copies(
        "select string_agg(it::text, e'\\n') from instep.watermarks it union all
         select string_agg(it::text, e'\\n') from instep.leases it union all
         select string_agg(format('%s %s %s %s', copy, shown_key, reason, since), e'\\n')
             from (select * from instep.holds limit 10) it union all
         select string_agg(it::text, e'\\n') from instep.passes it",
    );
    panic!("in the end: {found:#?}\n{books}\n{}", logs(insteps));
}

/// What is not equal.
fn differences(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (table, columns) in TABLES {
        for (shard, name) in SHARDS.iter().enumerate() {
            let told = |which: &str| {
                format!(
                    "select count(*), md5(string_agg(it::text, ' ' order by id))
                     from (select {columns} from {table} {which}) it"
                )
            };
            let source = world.ask_shard(shard, &told(""));
            let copy = world.ask_copies(&told(&format!("where shard = 'quiz/{name}'")));
            if source != copy {
                found.push(format!("{table} of {name}: {source} is copied as {copy}"));
            }
        }
        let others =
            format!("select count(*) from {table} where shard not in ('quiz/a', 'quiz/b')");
        assert_eq!(world.ask_copies(&others), "0", "a row of {table} is nobody's");
    }
    let recount = "select kind, count(*) from question group by kind order by kind";
    let (counted, pushed) = (world.ask_copies(recount), world.ask_copies(KINDS));
    if counted != pushed {
        found.push(format!("counted {counted:?}, pushed {pushed:?}"));
    }
    let held = world.ask_copies("select count(*) from instep.holds");
    if held != "0" {
        found.push(format!("{held} rows are held"));
    }
    found
}

/// Which version of each row the copies have: another one has been written since.
pub(super) fn versions(world: &World) -> Vec<String> {
    let of = |table| format!("select string_agg(id || ' ' || xmin, ',' order by id) from {table}");
    TABLES.map(|(table, _)| world.ask_copies(&of(table))).into()
}

/// Whether it says that the copies are whole, whoever leads them: each shard may have another leader.
pub(super) async fn is_whole(instep: &Instep) {
    waits_for(instep, "the copies are whole", |_| true).await;
}

/// It leads every shard, and says that all is well.
pub(super) async fn is_well(instep: &Instep) {
    waits_for(instep, "all is well where all is led", |copy| copy["elsewhere"] == json!([])).await;
}

async fn waits_for(instep: &Instep, what: &str, is_so: impl Fn(&Value) -> bool) {
    let is_well = |copy: &Value| {
        copy["phase"] == "following" && copy["failures"] == 0 && copy["position"].is_string()
    };
    let says_so = || {
        let status = instep.status();
        let copies = status["copies"].as_array().expect("a list");
        copies.iter().all(|copy| is_well(copy) && is_so(copy)) && status["problems"] == json!([])
    };
    let said = until(what, says_so).await;
    assert!(said, "{:#}\n{}", instep.status(), instep.log());
}
