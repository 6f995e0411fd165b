//! Sources that are not what they were: restored, replaced, gone for a while.

use crate::rig::{ITEM, Rig, items, until};
use std::fs;

#[tokio::test]
async fn a_source_restored_from_a_backup_is_followed_in_a_new_history_and_its_copy_never_emptied() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    let history = rig.history("shop/source");
    rig.back_up("source.db", "yesterday.db");
    rig.back_up("source.db", "yesterday again.db");
    let today = "delete from item where id < 20; update item set title = 'today' where id < 40;";
    rig.write("source.db", today);
    rig.sell(301, 330);
    rig.converges().await;
    // While it runs; other things happen in the restored source than had happened before.
    rig.put_in_place("yesterday.db", "source.db");
    rig.write("source.db", "update item set kind = 'restored' where id between 10 and 60");
    rig.sell(310, 350);
    converges_and_is_never_emptied(&rig).await;
    assert!(rig.history("shop/source") > history, "the loss is declared");
    running.stop().await;
    // While it is down.
    rig.put_in_place("yesterday again.db", "source.db");
    rig.sell(400, 420);
    let running = rig.run().await;
    converges_and_is_never_emptied(&rig).await;
    running.stop().await;
}

#[tokio::test]
async fn lost_history_is_logged_however_soon_it_is_made_up_for() {
    let rig = Rig::shop();
    for round in 0..3 {
        let running = rig.run().await;
        rig.converges().await;
        rig.write(
            "source.db",
            "begin; delete from instep_changes; delete from item where id = 1; commit",
        );
        rig.sell(1, 1);
        rig.converges().await;
        rig.logs_again("E-SOURCE-HISTORY-LOST", round + 1).await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_source_restored_to_when_it_was_empty_never_empties_its_copy() {
    let rig = Rig::shop();
    rig.write("source.db", "delete from item");
    let mut running = rig.run().await;
    assert!(until("the copy is there", || rig.is_in_step()).await);
    rig.back_up("source.db", "empty.db");
    rig.sell(1, 300);
    rig.converges().await;
    rig.put_in_place("empty.db", "source.db");
    rig.logs("E-DELETES-GUARDED").await;
    assert!(running.is_running());
    assert_eq!(rig.copied(), 300);
    running.stop().await;
    rig.sell(200, 290);
    running = rig.run().await;
    rig.logs_again("E-DELETES-GUARDED", 2).await;
    assert_eq!(rig.copied(), 300, "nobody has allowed it yet");
    running.stop().await;
    rig.allow_deletes(300);
    running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn another_file_behind_the_address_is_not_read_until_a_person_adopts_it() {
    let rig = Rig::shop();
    let mut running = rig.run().await;
    rig.converges().await;
    rig.write("other.db", &format!("pragma journal_mode = wal; {ITEM}; {}", items(250, 500)));
    rig.put_in_place("other.db", "source.db");
    rig.logs("E-SOURCE-CHANGED").await;
    rig.sell(501, 510);
    assert_eq!(rig.copied(), 300, "nothing is read");
    assert!(running.is_running());
    running.stop().await;
    running = rig.run().await;
    let adopted = rig.command(&["source", "adopt", "shop"]);
    assert!(adopted.status.success(), "{adopted:?}");
    converges_and_is_never_emptied(&rig).await;
    running.stop().await;
}

#[tokio::test]
async fn an_empty_database_in_place_of_the_source_never_empties_the_copy() {
    let rig = Rig::shop();
    let mut running = rig.run().await;
    rig.converges().await;
    rig.write("empty.db", &format!("pragma journal_mode = wal; {ITEM}"));
    rig.put_in_place("empty.db", "source.db");
    rig.logs("E-SOURCE-CHANGED").await;
    assert_eq!(rig.copied(), 300);
    // Even one that is adopted does not, as long as it is empty.
    let adopted = rig.command(&["source", "adopt", "shop"]);
    assert!(adopted.status.success(), "{adopted:?}");
    rig.logs("E-DELETES-GUARDED").await;
    assert_eq!(rig.copied(), 300);
    assert!(running.is_running());
    running.stop().await;
    rig.allow_deletes(300);
    rig.sell(100, 400);
    running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_source_that_is_gone_for_a_while_is_waited_for_and_not_made() {
    let rig = Rig::shop();
    let mut running = rig.run().await;
    rig.converges().await;
    let names = ["source.db", "source.db-wal", "source.db-shm"];
    let move_all = |from: &str, to: &str| {
        for name in names {
            let (from, to) = (format!("{from}{name}"), format!("{to}{name}"));
            let _ = fs::rename(rig.path(&from), rig.path(&to));
        }
    };
    fs::create_dir(rig.path("away")).unwrap();
    move_all("", "away/");
    rig.logs("E-SOURCE-UNAVAILABLE").await;
    assert!(!rig.path("source.db").exists() && running.is_running());
    rig.write("away/source.db", "delete from item where id < 10");
    move_all("away/", "");
    rig.converges().await;
    running.stop().await;
    move_all("", "away/");
    running = rig.run().await;
    rig.logs("can not be opened").await;
    assert!(!rig.path("source.db").exists());
    assert_eq!(rig.copied(), 291);
    move_all("away/", "");
    rig.sell(301, 320);
    rig.converges().await;
    running.stop().await;
}

/// Waits until the copy equals its source; on the way it is never nearly empty.
async fn converges_and_is_never_emptied(rig: &Rig) {
    let mut least = usize::MAX;
    until("the copy equals its source", || {
        least = least.min(rig.copied());
        rig.is_in_step()
    })
    .await;
    rig.converges().await;
    assert!(least >= 90, "the copy had {least} rows for a moment");
}
