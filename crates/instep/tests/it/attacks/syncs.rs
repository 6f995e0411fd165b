//! Syncs that fail: whatever a disk did not take is never told to be there.

use crate::rig::{Rig, Syncs, until};

#[tokio::test]
async fn a_journal_that_can_not_be_synced_confirms_nothing_and_shows_nothing() {
    let rig = Rig::shop();
    let syncs = Syncs::compile(&rig.path(""));
    let mut running = rig.begin_with(&syncs.variables());
    running.ready(|| rig.log()).await;
    rig.converges().await;
    syncs.fail("data/journal");
    rig.write("source.db", "update item set kind = 'unsynced' where id <= 150");
    rig.logs("E-JOURNAL-DISK").await;
    let kept = rig.ask(
        "source.db",
        "select count(distinct k1) from instep_changes
        where tbl = 'item' and k1 <= 150",
    );
    assert_eq!(kept, Some(vec!["150".to_owned()]), "the source keeps what is not confirmed");
    let shown = rig.ask("target.db", "select count(*) from item where kind = 'unsynced'");
    assert_eq!(shown, Some(vec!["0".to_owned()]), "nobody reads what is not durable");
    assert!(running.is_running());
    running.kill();
    syncs.succeed();
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn syncs_that_fail_anywhere_cost_nothing_once_it_is_started_again() {
    for part in ["data/state", "data/catalog.db", "target.db"] {
        println!("syncs of {part} fail");
        let rig = Rig::shop();
        let syncs = Syncs::compile(&rig.path(""));
        let mut running = rig.begin_with(&syncs.variables());
        running.ready(|| rig.log()).await;
        rig.converges().await;
        syncs.fail(part);
        rig.write("source.db", "delete from item where id < 10");
        rig.sell(301, 400);
        let looked = || {
            rig.copied() == 391
                || rig.log().contains("-DISK")
                || rig.log().contains("its disk answered")
        };
        assert!(until("it goes on, or says why not", looked).await);
        rig.write("source.db", "update item set kind = 'unsynced' where id > 200");
        assert!(running.is_running());
        running.kill();
        syncs.succeed();
        let running = rig.run().await;
        rig.converges().await;
        running.stop().await;
    }
}
