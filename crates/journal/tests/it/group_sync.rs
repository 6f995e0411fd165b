//! The group sync: appends that wait at the same time share one.

use crate::support::{append, at, filled, lane, open, read_all};
use ::model::Log;
use std::sync::Arc;

#[tokio::test]
async fn appends_that_wait_at_the_same_time_share_a_sync() {
    let disk = filled(1).await;
    let journal = Arc::new(open(&disk).unwrap());
    let before = disk.counts().syncs;
    let mut appends = Vec::new();
    for number in 2..=9 {
        let journal = Arc::clone(&journal);
        appends.push(tokio::spawn(async move {
            append(&journal, number).await.unwrap();
        }));
        // They start in this order, so that their offsets rise.
        tokio::task::yield_now().await;
    }
    for append in appends {
        append.await.unwrap();
    }
    assert!(
        disk.counts().syncs - before < 8,
        "{} syncs for 8 appends",
        disk.counts().syncs - before
    );
    assert_eq!(journal.bounds(&lane()).await.unwrap().last, Some(at(9)));
    assert_eq!(read_all(&journal, Some(at(1))).await.unwrap(), [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[tokio::test]
async fn an_append_alone_is_synced_once() {
    let disk = filled(1).await;
    let journal = open(&disk).unwrap();
    let before = disk.counts().syncs;
    append(&journal, 2).await.unwrap();
    assert_eq!(disk.counts().syncs - before, 1);
}
