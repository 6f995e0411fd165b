//! The catalog in its file: durable call by call, and refused rather than replaced.

use crate::folder::TestFolder;
use futures_util::future::join_all;
use instep_engine::{Catalog, History, SqliteCatalog, named, pinned};
use model::{Code, Fate, Fault, Identity, Incarnation, Lane, Position, TargetName};
use std::fs;
use std::sync::Arc;

#[tokio::test]
async fn every_call_is_durable_when_it_returns() {
    let folder = TestFolder::new();
    let (catalog, begun) = open(&folder).await.expect("no fault");
    assert!(begun);
    let (lane, target) = (Lane::from("questions/a"), TargetName::from("search"));
    assert_eq!(catalog.history(&lane).await.expect("no fault"), None);
    assert_eq!(catalog.adopted(&lane).await.expect("no fault"), None);
    assert_eq!(catalog.deletes_allowed(&lane, &target).await.expect("no fault"), 0);

    catalog.begin(&lane, &history(1)).await.expect("no fault");
    assert_eq!(survivor(&folder).await.history(&lane).await.expect("no fault"), Some(history(1)));
    catalog.adopt(&lane, &Identity::from("server-2")).await.expect("no fault");
    let adopted = survivor(&folder).await.adopted(&lane).await.expect("no fault");
    assert_eq!(adopted, Some(Identity::from("server-2")));
    catalog.allow_deletes(&lane, &target, 7).await.expect("no fault");
    catalog.allow_deletes(&lane, &target, 5_000).await.expect("no fault");
    assert_eq!(
        survivor(&folder).await.deletes_allowed(&lane, &target).await.expect("no fault"),
        5_000
    );
}

#[tokio::test]
async fn which_servers_are_pinned_can_be_read_without_a_trace() {
    let folder = TestFolder::new();
    let path = folder.path().join("catalog.db");
    assert_eq!(pinned(&path).expect("no fault"), [].into());
    let (catalog, _) = open(&folder).await.expect("no fault");
    let lane = Lane::from("questions/a");
    catalog.begin(&lane, &history(1)).await.expect("no fault");
    catalog.adopt(&lane, &Identity::from("server-2")).await.expect("no fault");
    let look = || {
        let before = names(&folder);
        let found = pinned(&path).expect("no fault");
        assert_eq!(names(&folder), before);
        let pin = found.get(&lane).expect("the lane is pinned");
        (pin.identity.clone(), pin.adopted.clone())
    };
    let expected = (history(1).identity, Some(Identity::from("server-2")));
    assert_eq!(look(), expected, "while it is open");
    drop(catalog);
    assert_eq!(look(), expected, "when it is closed");
}

fn names(folder: &TestFolder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).expect("a folder");
    let names = entries.map(|it| it.expect("an entry").file_name().into_string().expect("text"));
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn the_name_of_an_instance_can_be_read_without_a_trace() {
    let folder = TestFolder::new();
    let path = folder.path().join("catalog.db");
    assert_eq!(named(&path).expect("no fault"), None, "there is no catalog");
    let (catalog, _) = open(&folder).await.expect("no fault");
    assert_eq!(named(&path).expect("no fault"), None, "it has no name yet");
    let name = catalog.begin_run().await.expect("no fault").name;
    let before = names(&folder);
    assert_eq!(named(&path).expect("no fault"), Some(name));
    assert_eq!(names(&folder), before);
}

#[tokio::test]
async fn each_run_has_a_higher_number_under_the_same_name() {
    let (folder, other) = (TestFolder::new(), TestFolder::new());
    let first = open(&folder).await.expect("no fault").0.begin_run().await.expect("no fault");
    let next = survivor(&folder).await.next_run().await.expect("no fault");
    let second = survivor(&folder).await.begin_run().await.expect("no fault");
    assert_eq!(second, next, "asking for the next one begins none");
    assert_eq!((first.run, second.run), (1, 2));
    assert_eq!(first.name, second.name);
    let elsewhere = open(&other).await.expect("no fault").0.begin_run().await.expect("no fault");
    assert_ne!(elsewhere.name, first.name);
}

#[tokio::test]
async fn a_new_history_clears_what_was_said_about_the_one_before_in_its_own_lane() {
    let folder = TestFolder::new();
    let (catalog, _) = open(&folder).await.expect("no fault");
    let target = TargetName::from("search");
    let lanes = [Lane::from("a"), Lane::from("b")];
    for lane in &lanes {
        catalog.begin(lane, &history(1)).await.expect("no fault");
        catalog.adopt(lane, &Identity::from("server-2")).await.expect("no fault");
        catalog.allow_deletes(lane, &target, u64::MAX).await.expect("no fault");
    }
    catalog.begin(&lanes[0], &history(2)).await.expect("no fault");
    let left = survivor(&folder).await;
    assert_eq!(left.history(&lanes[0]).await.expect("no fault"), Some(history(2)));
    assert_eq!(left.adopted(&lanes[0]).await.expect("no fault"), None);
    assert_eq!(left.deletes_allowed(&lanes[0], &target).await.expect("no fault"), 0);
    assert_eq!(left.history(&lanes[1]).await.expect("no fault"), Some(history(1)));
    assert!(left.adopted(&lanes[1]).await.expect("no fault").is_some());
    assert!(left.deletes_allowed(&lanes[1], &target).await.expect("no fault") > 1 << 60);
}

#[tokio::test]
async fn calls_at_the_same_time_all_get_their_answer() {
    let folder = TestFolder::new();
    let catalog = Arc::new(open(&folder).await.expect("no fault").0);
    let calls = (0..200).map(|n| {
        let catalog = catalog.clone();
        async move {
            let lane = Lane::from(format!("lane-{n}").as_str());
            catalog.begin(&lane, &history(n)).await.expect("no fault");
            assert_eq!(catalog.history(&lane).await.expect("no fault"), Some(history(n)));
        }
    });
    join_all(calls).await;
    drop(catalog);
    let (catalog, begun) = open(&folder).await.expect("no fault");
    assert!(!begun);
    assert_eq!(catalog.history(&"lane-199".into()).await.expect("no fault"), Some(history(199)));
}

#[tokio::test]
async fn a_newer_catalog_is_refused_and_left_alone() {
    let folder = TestFolder::new();
    filled(&folder).await;
    // The format's number stands at byte 60 of every SQLite file.
    spoil(&folder, |bytes| bytes[63] = 2);
    assert_eq!(refused(&folder).await.code, Code::CatalogNewer);
}

#[tokio::test]
async fn a_damaged_catalog_is_refused_and_never_replaced() {
    let damages: [fn(&mut Vec<u8>); 5] = [
        Vec::clear,
        |bytes| bytes.truncate(5_000),
        |bytes| bytes[3] ^= 1,
        |bytes| bytes[4_096..].fill(0x5a),
        |bytes| *bytes = b"a letter to a friend".to_vec(),
    ];
    for damage in damages {
        let folder = TestFolder::new();
        filled(&folder).await;
        spoil(&folder, damage);
        let fault = refused(&folder).await;
        assert_eq!((fault.code, fault.fate), (Code::CatalogDamaged, Fate::Stop), "{fault}");
    }
}

#[tokio::test]
async fn a_database_of_somebody_else_is_refused() {
    let folder = TestFolder::new();
    filled(&folder).await;
    spoil(&folder, |bytes| bytes[68..72].fill(0));
    assert_eq!(refused(&folder).await.code, Code::CatalogDamaged);
}

#[tokio::test]
async fn a_write_ahead_log_without_its_file_is_refused() {
    let folder = TestFolder::new();
    fs::write(folder.path().join("catalog.db-wal"), "what was written last").expect("it is there");
    assert_eq!(open(&folder).await.expect_err("it is refused").code, Code::CatalogDamaged);
}

#[tokio::test]
async fn a_crash_while_the_file_is_made_leaves_nothing_in_the_way() {
    let folder = TestFolder::new();
    fs::write(folder.path().join("catalog.db-new"), "half a file").expect("it is there");
    assert!(open(&folder).await.expect("no fault").1);
}

async fn open(folder: &TestFolder) -> Result<(SqliteCatalog, bool), Fault> {
    let opened = SqliteCatalog::open(&folder.path().join("catalog.db")).await?;
    Ok((opened.catalog, opened.begun))
}

/// The catalog as a process would find it that starts after this one was killed now.
async fn survivor(folder: &TestFolder) -> SqliteCatalog {
    let (catalog, begun) = open(&folder.killed()).await.expect("no fault");
    assert!(!begun);
    catalog
}

async fn filled(folder: &TestFolder) {
    let (catalog, _) = open(folder).await.expect("no fault");
    for n in 0..40 {
        catalog.begin(&format!("lane-{n}").as_str().into(), &history(n)).await.expect("no fault");
    }
}

/// The fault of opening it; the file is as it was.
async fn refused(folder: &TestFolder) -> Fault {
    let path = folder.path().join("catalog.db");
    let before = fs::read(&path).expect("it is there");
    let fault = open(folder).await.expect_err("it is refused");
    assert_eq!(fs::read(&path).expect("it is there"), before);
    fault
}

fn spoil(folder: &TestFolder, damage: impl Fn(&mut Vec<u8>)) {
    let path = folder.path().join("catalog.db");
    let mut bytes = fs::read(&path).expect("it is there");
    damage(&mut bytes);
    fs::write(&path, bytes).expect("it is there");
}

fn history(n: u32) -> History {
    History {
        incarnation: Incarnation(n),
        identity: Identity::from("server-1"),
        began: Position::from_number(7),
        witness: vec![7].into(),
    }
}
