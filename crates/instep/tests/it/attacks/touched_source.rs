//! What other programs do to the schema of a source, to our tables in it, and to its locks.

use crate::rig::{Rig, until};

/// Statements that are run at a source, one after the other. Each leaves changes behind that no
/// trigger has seen, or that are not in our table any more.
const BLOWS: [(&str, &str); 7] = [
    (
        "the table is made anew",
        "
        begin;
        create table new_item (id integer primary key, kind text not null, title text);
        insert into new_item select id, 'rebuilt', title from item where id > 5;
        drop table item;
        alter table new_item rename to item;
        update item set title = 'unseen' where id between 10 and 20;
        commit;
        update item set title = 'after' where id between 15 and 25",
    ),
    (
        "triggers are dropped",
        "
        drop trigger if exists {update};
        update item set kind = 'unseen' where id between 30 and 40",
    ),
    (
        "the changes are deleted before they are read",
        "
        begin;
        update item set kind = 'deleted' where id between 50 and 60;
        delete from instep_changes;
        commit",
    ),
    (
        "the changes are deleted, and counted anew",
        "
        begin;
        update item set kind = 'reset' where id between 60 and 65;
        delete from instep_changes;
        delete from sqlite_sequence where name = 'instep_changes';
        commit;
        update item set kind = 'reset too' where id = 66",
    ),
    (
        "the file is compacted",
        "
        vacuum;
        update item set kind = 'compacted' where id between 70 and 75",
    ),
    (
        "a column is added",
        "
        alter table item add column price int default 5;
        update item set kind = 'priced' where id between 80 and 85",
    ),
    (
        "an index is added",
        "
        create unique index item_title on item (id, title);
        insert or replace into item (id, kind, title) values (90, 'indexed', 'other')",
    ),
];

#[tokio::test]
async fn whatever_is_done_to_schema_and_notes_of_a_source_while_it_is_followed_nothing_is_missed() {
    let rig = Rig::shop();
    let mut running = rig.run().await;
    rig.converges().await;
    for (number, (what, sql)) in (2_000..).zip(BLOWS) {
        println!("{what}, while it runs");
        strike(&rig, what, sql);
        rig.sell(number, number);
        rig.converges().await;
        assert!(running.is_running());
    }
    running.stop().await;
}

#[tokio::test]
async fn whatever_is_done_to_schema_and_notes_of_a_source_while_nobody_looks_nothing_is_missed() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
    for (what, sql) in BLOWS {
        println!("{what}, while it is down");
        strike(&rig, what, sql);
        let running = rig.run().await;
        rig.converges().await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_source_that_was_detached_and_migrated_is_followed_again_by_itself() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
    let detached = rig.command(&["source", "detach", "shop"]);
    assert!(detached.status.success(), "{detached:?}");
    let migration = "alter table item add column note text; delete from item where id < 20;
        update item set title = 'migrated' where id < 50";
    rig.write("source.db", migration);
    let running = rig.run().await;
    rig.converges().await;
    rig.sell(301, 310);
    rig.converges().await;
    running.stop().await;
}

/// P3: no statement touches the rows that were there, so nothing of it comes over the log.
#[tokio::test]
async fn a_column_that_is_added_with_a_default_reaches_the_rows_from_before() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    let prices = "select id, price from item order by id";
    // Once the copy has its column first, once the source.
    for (number, target_first) in [(301, true), (302, false)] {
        let source = format!("alter table item add column price{number} integer default 5");
        let target = format!("alter table item add column price{number} integer");
        let adds = [("target.db", target), ("source.db", source)];
        let [first, second] = if target_first { [0, 1] } else { [1, 0] };
        for (file, add) in [&adds[first], &adds[second]] {
            rig.write(file, add);
        }
        rig.sell(number, number);
        rig.converges().await;
        let prices = prices.replace("price", &format!("price{number}"));
        let all = until("every row has its price", || {
            let copied = rig.ask("target.db", &prices);
            copied.is_some() && copied == rig.ask("source.db", &prices)
        })
        .await;
        assert!(all, "{number}");
    }
    running.stop().await;
}

fn strike(rig: &Rig, what: &str, sql: &str) {
    let triggers = "select '\"' || name || '\"' from sqlite_master
        where type = 'trigger' and name like 'instep%' order by name like '%update%'";
    let triggers = rig.ask("source.db", triggers).unwrap();
    let names: Vec<_> = triggers.iter().map(|name| name.trim_matches('\'')).collect();
    let drops: String = names.iter().map(|name| format!("drop trigger {name};")).collect();
    let update = names.last().expect("there are triggers");
    let sql = sql.replace("{update}", update).replace("{drops}", &drops);
    let struck = rig.open("source.db").execute_batch(&sql);
    // A change of the schema meets our own readers, and whoever makes it waits for them.
    struck.unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[tokio::test]
async fn a_source_in_which_all_of_ours_was_dropped_is_another_one_until_a_person_adopts_it() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    // At once: who follows the file would make some of it anew in between.
    let all = "begin immediate; drop table instep_tables; drop table instep_source;
        drop table instep_changes; {drops} delete from item where id between 100 and 110; commit";
    strike(&rig, "everything of ours is dropped", all);
    rig.logs("E-SOURCE-CHANGED").await;
    assert_eq!(rig.copied(), 300);
    assert!(rig.command(&["source", "adopt", "shop"]).status.success());
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_source_that_a_writer_locks_for_long_is_waited_for() {
    for mode in ["wal", "delete"] {
        let rig = Rig::shop();
        rig.write("source.db", &format!("pragma journal_mode = {mode}"));
        let running = rig.run().await;
        rig.converges().await;
        let writer = rig.open("source.db");
        writer.execute_batch("begin exclusive; delete from item where id < 10").unwrap();
        if mode == "delete" {
            // Nobody can read meanwhile, which is said after some patience.
            rig.logs("another program holds it locked").await;
        }
        assert_eq!(rig.copied(), 300, "nothing is read before its commit");
        writer.execute_batch("commit").unwrap();
        rig.converges().await;
        running.stop().await;
    }
}
