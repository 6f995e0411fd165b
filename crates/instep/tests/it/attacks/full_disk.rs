//! Disks without room, one for each place where the program keeps something.

use crate::rig::{Rig, Tmpfs};

/// A full disk under a directory; what is logged about it.
async fn fills(place: &str, target: &'static str, says: &[&str]) {
    let rig = Rig::shop_in(target);
    let Some(disk) = Tmpfs::mount(&rig.path(place), 6_144) else { return };
    let mut running = rig.run().await;
    rig.converges().await;
    disk.fill();
    for round in 0..4 {
        // Some of it while the disk is full for long, in several transactions.
        rig.write(
            "source.db",
            &format!(
                "
            update item set title = '{round} ' || hex(randomblob(500)) where id <= 200"
            ),
        );
        rig.sell(301 + round * 10, 310 + round * 10);
    }
    rig.logs_one_of(says).await;
    assert!(running.is_running());
    disk.free();
    rig.converges().await;
    rig.write("source.db", "delete from item where id < 50");
    rig.converges().await;
    assert!(running.is_running());
    running.stop().await;
    let running = rig.run().await;
    rig.sell(400, 420);
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_full_disk_of_the_journal_costs_nothing_and_needs_no_restart() {
    fills("data/journal", "target.db", &["E-JOURNAL-FULL"]).await;
}

#[tokio::test]
async fn a_full_disk_of_the_state_costs_nothing_and_needs_no_restart() {
    fills("data/state", "target.db", &["E-STATE-DISK"]).await;
}

#[tokio::test]
async fn a_full_disk_of_the_data_directory_costs_nothing_and_needs_no_restart() {
    fills("data", "target.db", &["E-JOURNAL-FULL", "E-STATE-DISK", "E-CATALOG-DISK"]).await;
}

#[tokio::test]
async fn a_full_disk_of_a_target_costs_nothing_and_needs_no_restart() {
    fills("small", "small/target.db", &["its disk is full", "its disk answered"]).await;
}
