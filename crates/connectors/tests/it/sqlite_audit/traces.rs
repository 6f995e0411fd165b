//! Nothing is written, neither in the file nor beside it; and what cannot be read is told by its code.

use super::rig::{Rig, ask, key, range, wanted};
use super::writers::Writer;
use model::{Audit, Code, Fate, Groups, Kind, Reference, Selection, Service};
use rusqlite::Connection;
use std::fs;
use std::time::Duration;

const TABLES: &str = "create table t (id integer primary key, v text, r int);
     insert into t with recursive n (id) as
         (select 1 union all select id + 1 from n where id < 2000) select id, 'v' || id, id from n;";

/// Every call that there is.
async fn everything(session: &mut dyn Audit) {
    let mut ask = ask("t", &[("id", Kind::Int)], &[("v", Kind::Text)]);
    ask.condition = Some("id <> 7".into());
    assert!(session.look(&"t".into()).await.unwrap().is_some());
    session.admit(&ask).await.unwrap();
    assert_eq!(session.cut(&ask, None, 10).await.unwrap(), Some(key(11)));
    assert_eq!(session.rows(&ask, &Selection::ALL, 5).await.unwrap().found.len(), 5);
    assert_eq!(session.find(&ask, &[key(7)]).await.unwrap().len(), 1);
    assert_eq!(session.flaw(&ask, &range(None, None)).await.unwrap(), None);
    let groups = Groups { by: vec![], value: None, only: None, groups_max: 10 };
    assert_eq!(session.groups(&ask, &groups).await.unwrap().found[0].1, 1_999);
    let refers = Reference { column: "r".into(), table: "t".into(), key: "id".into() };
    assert_eq!(session.orphans(&ask, &refers, &Selection::ALL, 9).await.unwrap().found, []);
    assert!(session.newest(&ask, &wanted("v", Kind::Text), 3).await.unwrap().is_some());
    assert_eq!(session.position().await.unwrap(), None);
}

#[tokio::test]
async fn file_and_folder_are_as_before_in_every_mode_with_a_writer_and_without() {
    for mode in ["delete", "truncate", "persist", "wal"] {
        let rig = Rig::empty();
        let hand = rig.hand();
        hand.pragma_update(None, "journal_mode", mode).unwrap();
        hand.execute_batch(TABLES).unwrap();
        hand.close().unwrap();
        // Another program, since two connections of one share what they know of a log.
        for change in ["update t set r = 1 where id = 1", "begin immediate; update t set r = 2"] {
            let writer = Writer::hold(&rig, &format!("pragma journal_mode = {mode}; {change}"));
            let before = rig.files();
            everything(rig.session().await.as_mut()).await;
            assert_eq!(rig.files(), before, "{mode} with a writer after {change}");
            assert!(writer.end());
        }
        let before = rig.files();
        let stays = matches!(mode, "persist" | "truncate");
        assert_eq!(before.len(), if stays { 2 } else { 1 });
        let mut session = rig.session().await;
        everything(session.as_mut()).await;
        assert_eq!(rig.files(), before, "{mode} without a writer");
        drop(session);
        assert_eq!(rig.files(), before, "{mode} once the session is over");
    }
}

#[tokio::test]
async fn a_session_outlives_every_change_of_mode() {
    let rig = Rig::new(TABLES);
    let mut session = rig.session().await;
    let ask = ask("t", &[("id", Kind::Int)], &[("v", Kind::Text)]);
    for (round, mode) in (2001..).zip(["wal", "delete", "wal", "delete", "wal", "wal"]) {
        let writer = rig.hand();
        writer.pragma_update(None, "journal_mode", mode).unwrap();
        writer.execute("insert into t values (?1, 'new', 1)", [round]).unwrap();
        let newest = session.newest(&ask, &wanted("id", Kind::Int), 1).await.unwrap();
        assert_eq!(newest, Some(i64::from(round).into()), "{mode}");
        writer.close().unwrap();
        let names = rig.names();
        let newest = session.newest(&ask, &wanted("id", Kind::Int), 1).await.unwrap();
        assert_eq!(newest, Some(i64::from(round).into()), "{mode} once it stands still");
        assert_eq!((rig.names(), names.len()), (names, 1));
    }
}

#[tokio::test]
async fn what_a_program_left_that_ended_without_a_word_is_read_and_left() {
    let rig = Rig::empty();
    let writer = rig.hand();
    writer.pragma_update(None, "journal_mode", "wal").unwrap();
    writer.execute_batch(TABLES).unwrap();
    let left = Rig::empty();
    for name in rig.names() {
        fs::copy(rig.path().with_file_name(&name), left.path().with_file_name(&name)).unwrap();
    }
    let before = left.files();
    assert_eq!(before.len(), 3);
    everything(left.session().await.as_mut()).await;
    assert_eq!(left.files(), before);
    fs::remove_file(left.path().with_file_name("a b#?%.db-shm")).unwrap();
    let before = left.files();
    let refused = left.patient(Duration::from_millis(50)).connect().await.err().unwrap();
    assert_eq!((refused.code, refused.fate), (Code::NotMeasured, Fate::Retry));
    assert_eq!(left.files(), before, "the index of a log is not made");
}

#[tokio::test]
async fn what_a_program_did_not_finish_is_neither_read_nor_taken_back() {
    let rig = Rig::new(TABLES);
    let writer = rig.hand();
    // What does not fit into its memory goes into the file before it is committed.
    writer
        .execute_batch("pragma cache_size = 1; begin; update t set v = hex(zeroblob(500))")
        .unwrap();
    let left = Rig::empty();
    for name in rig.names() {
        fs::copy(rig.path().with_file_name(&name), left.path().with_file_name(&name)).unwrap();
    }
    let before = left.files();
    assert_eq!(before.len(), 2);
    let refused = left.patient(Duration::from_millis(50)).connect().await.err().unwrap();
    assert_eq!((refused.code, refused.fate), (Code::NotMeasured, Fate::Retry), "{refused}");
    assert_eq!(left.files(), before);
    left.hand().execute_batch("select count(*) from t; update t set r = 0").unwrap();
    assert!(left.audit().connect().await.is_ok(), "whoever may write takes it back");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_told_by_its_code() {
    let rig = Rig::empty();
    let connect =
        || async { rig.patient(Duration::from_millis(50)).connect().await.err().unwrap() };
    assert_eq!(connect().await.code, Code::FileMissing);
    assert_eq!(rig.names(), Vec::<String>::new());
    fs::create_dir(rig.path()).unwrap();
    assert_eq!(connect().await.code, Code::FileUnsuitable);
    fs::remove_dir(rig.path()).unwrap();
    fs::write(rig.path(), "a text").unwrap();
    assert_eq!(connect().await.code, Code::FileUnsuitable);
    fs::remove_file(rig.path()).unwrap();
    let writer = rig.hand();
    writer.execute_batch(TABLES).unwrap();
    let mut session = rig.patient(Duration::from_millis(50)).connect().await.unwrap();
    writer.execute_batch("begin exclusive").unwrap();
    let locked = connect().await;
    assert_eq!((locked.code, locked.fate), (Code::FileLocked, Fate::Retry));
    assert_eq!(session.look(&"t".into()).await.unwrap_err().code, Code::FileLocked);
    writer.execute_batch("rollback").unwrap();
    assert!(session.look(&"t".into()).await.unwrap().is_some(), "and the session goes on");
    drop(writer);
    fs::remove_file(rig.path()).unwrap();
    assert_eq!(session.look(&"t".into()).await.unwrap_err().code, Code::FileMissing);
    Connection::open(rig.path()).unwrap().execute_batch("create table other (id)").unwrap();
    assert_eq!(session.look(&"t".into()).await.unwrap(), None, "another file is another file");
    fs::write(rig.path(), "").unwrap();
    assert_eq!(
        session.look(&"t".into()).await.unwrap(),
        None,
        "an empty file is an empty database"
    );
    assert_eq!(rig.files().len(), 1);
}

#[tokio::test]
async fn nobody_asks_for_sums() {
    let rig = Rig::new(TABLES);
    let mut session = rig.session().await;
    let ask = ask("t", &[("id", Kind::Int)], &[]);
    let refused = session.sum(&ask, &Selection::ALL).await.unwrap_err();
    assert_eq!((refused.code, refused.fate), (Code::Broken, Fate::Stop));
    let refused = session.marks(&ask, &Selection::ALL, 1).await.unwrap_err();
    assert_eq!((refused.code, refused.fate), (Code::Broken, Fate::Stop));
}
