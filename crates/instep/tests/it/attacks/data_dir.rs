//! What happens to the data directory: deleted, as a whole or in parts, damaged, or opened twice.

use crate::rig::{Rig, until};
use std::fs;
use std::os::unix::fs::FileExt;

#[tokio::test]
async fn whatever_is_lost_of_the_data_directory_is_found_again_and_without_a_catalog_copies_are_compared()
 {
    let parts =
        [("data", true), ("data/journal", false), ("data/state", false), ("data/catalog.db", true)];
    // Without the catalog nobody knows how the copies came to be what they are.
    for (lost, is_compared) in parts {
        println!("{lost} is deleted");
        let rig = Rig::shop();
        let running = rig.run().await;
        rig.converges().await;
        rig.write("source.db", "update item set kind = 'seen' where id between 10 and 20");
        rig.converges().await;
        running.stop().await;
        if is_compared {
            let by_hand = "update item set title = 'by hand' where id = 7;
                delete from item where id = 8; insert into item values (9999, 'by hand', null)";
            rig.write("target.db", by_hand);
        }
        let unseen = "delete from item where id between 10 and 30;
            update item set kind = 'unseen' where id between 40 and 50";
        rig.write("source.db", unseen);
        rig.sell(301, 320);
        match lost {
            "data/catalog.db" => rig.remove(lost),
            _ => fs::remove_dir_all(rig.path(lost)).unwrap(),
        }
        let running = rig.run().await;
        rig.converges().await;
        rig.sell(321, 330);
        rig.converges().await;
        running.stop().await;
    }
}

#[tokio::test]
async fn a_second_run_over_one_data_directory_is_refused() {
    let rig = Rig::shop();
    let mut running = rig.run().await;
    let second = rig.command(&["--json", "run"]);
    let said = String::from_utf8_lossy(&second.stdout);
    assert_eq!(second.status.code(), Some(7), "{second:?}");
    assert!(said.contains("E-DATA-LOCKED"), "{said}");
    assert!(running.is_running());
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_damaged_journal_is_not_begun_with_and_the_target_keeps_what_it_has() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    rig.sell(301, 320);
    rig.converges().await;
    running.stop().await;
    let lane = fs::read_dir(rig.path("data/journal")).unwrap().map(|entry| entry.unwrap().path());
    let lane = lane.into_iter().find(|path| path.is_dir()).expect("the lane's directory");
    let segment = fs::read_dir(lane).unwrap().next().unwrap().unwrap().path();
    let file = fs::File::options().read(true).write(true).open(&segment).unwrap();
    // Well inside of what was synced long ago.
    let mut byte = [0];
    file.read_exact_at(&mut byte, 300).unwrap();
    file.write_all_at(&[!byte[0]], 300).unwrap();
    let refused = rig.command(&["--json", "run"]);
    let said = String::from_utf8_lossy(&refused.stdout);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(said.contains("E-JOURNAL-DAMAGED"), "{said}");
    assert!(rig.is_in_step(), "the target keeps what it has");
    // What its explanation says: moved away, it is filled again.
    fs::rename(rig.path("data"), rig.path("damaged")).unwrap();
    rig.write("source.db", "delete from item where id < 5");
    let running = rig.run().await;
    assert!(until("it goes on", || rig.copied() == 316).await);
    rig.converges().await;
    running.stop().await;
}

#[tokio::test]
async fn a_target_that_outlived_the_data_directory_is_compared_wherever_its_source_stands() {
    // Where it stood, and restored to before that; then other things happen in it.
    for is_restored in [false, true] {
        println!("the source is restored: {is_restored}");
        let rig = Rig::shop();
        let running = rig.run().await;
        rig.converges().await;
        let history = rig.history("shop/source");
        rig.back_up("source.db", "yesterday.db");
        rig.write("source.db", "update item set title = 'today' where id < 50");
        rig.converges().await;
        running.stop().await;
        fs::remove_dir_all(rig.path("data")).unwrap();
        rig.write("target.db", "update item set title = 'by hand' where id = 7");
        if is_restored {
            rig.put_in_place("yesterday.db", "source.db");
            rig.write(
                "source.db",
                "update item set title = 'restored' where id between 100 and 120",
            );
        }
        // Histories are numbered by the second in which their catalog is begun.
        let second = || rig.ask("source.db", "select unixepoch()");
        let began = second();
        assert!(until("a second is over", || second() != began).await);
        let running = rig.run().await;
        rig.converges().await;
        assert!(rig.history("shop/source") > history, "another history");
        rig.write("source.db", "update item set title = 'after' where id between 110 and 220");
        rig.converges().await;
        running.stop().await;
    }
}
