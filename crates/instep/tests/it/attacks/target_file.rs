//! What happens to the file of a target: it is deleted, locked, restored, or may not be written.

use crate::rig::{Rig, Tmpfs};

#[tokio::test]
async fn a_target_that_is_deleted_is_made_and_filled_again() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    rig.remove("target.db");
    rig.sell(301, 320);
    rig.converges().await;
    running.stop().await;
    rig.remove("target.db");
    rig.write("source.db", "delete from item where id < 10");
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_target_that_another_program_locks_for_long_is_waited_for() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    let other = rig.open("target.db");
    other.execute_batch("begin exclusive").unwrap();
    rig.sell(301, 320);
    // Said once a write has waited in vain.
    rig.logs("another program holds it locked").await;
    other.execute_batch("rollback").unwrap();
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_target_restored_from_a_backup_is_brought_up_to_date() {
    let rig = Rig::shop();
    let mut running = rig.run().await;
    rig.converges().await;
    rig.back_up("target.db", "yesterday.db");
    rig.back_up("target.db", "yesterday again.db");
    let today = "insert into item values (1000, 'kind 1', 'today'), (1001, 'new', null);
        delete from item where id between 20 and 40;
        update item set kind = 'other' where id between 50 and 60;";
    rig.write("source.db", today);
    rig.converges().await;
    // While it runs.
    rig.put_in_place("yesterday.db", "target.db");
    rig.write("source.db", "update item set title = 'seen' where id = 1000");
    rig.converges().await;
    running.stop().await;
    // While it is down.
    rig.put_in_place("yesterday again.db", "target.db");
    running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_target_older_than_the_log_is_compared_with_its_source() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    rig.back_up("target.db", "yesterday.db");
    rig.write("source.db", "delete from item where id < 10");
    // So much that what the backup lacks is not in the journal any more.
    for round in 0..12 {
        rig.write("source.db", &format!("
            update item set title = '{round} ' || hex(randomblob(400)) where id between 100 and 200"));
        rig.converges().await;
    }
    running.stop().await;
    rig.put_in_place("yesterday.db", "target.db");
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_target_that_may_not_be_written_is_reported_and_goes_on_when_it_may() {
    let rig = Rig::shop_in("small/target.db");
    let Some(small) = Tmpfs::mount(&rig.path("small"), 8_192) else { return };
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
    small.set_writable(false);
    rig.sell(301, 320);
    let mut running = rig.run().await;
    rig.logs("E-TARGET-UNAVAILABLE").await;
    assert!(running.is_running());
    small.set_writable(true);
    rig.converges().await;
    running.stop().await;
}
