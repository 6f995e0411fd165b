//! Looking at a file: what is seen, and that nothing is left behind.

use instep_connectors::CopyTo;
use instep_connectors::sketch::SketchBounds;
use instep_connectors::sqlite::glance::{Glance, Way};
use model::Code;
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("instep-glance-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("it works");
        Self(folder)
    }

    fn path(&self) -> PathBuf {
        self.0.join("a b#?%.db")
    }

    fn open(&self) -> Connection {
        Connection::open(self.path()).expect("it works")
    }

    fn glance(&self) -> Glance {
        Glance::new(&self.path(), Duration::from_millis(100))
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("it works");
        let mut names: Vec<_> = entries
            .map(|it| it.expect("it works").file_name().into_string().expect("it works"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_look_leaves_no_file_behind_in_any_mode() {
    for mode in ["delete", "wal"] {
        let folder = Folder::new(mode);
        let writer = folder.open();
        let make = format!("pragma journal_mode = {mode}; create table t (id integer primary key)");
        writer.execute_batch(&make).expect("it works");
        let way = if mode == "wal" { Way::WithLog } else { Way::Plain };
        assert_eq!(folder.glance().way().expect("it works"), way);
        let before = folder.names();
        assert_eq!(folder.glance().count_tables().expect("it works"), 1, "{mode}");
        assert_eq!(folder.names(), before);
        writer.close().expect("it works");
        let before = folder.names();
        assert_eq!(before.len(), 1);
        assert_eq!(folder.glance().count_tables().expect("it works"), 1, "{mode}");
        assert_eq!(folder.names(), before);
    }
}

#[test]
fn what_a_writer_has_committed_to_the_log_is_seen() {
    let folder = Folder::new("log");
    let writer = folder.open();
    writer
        .execute_batch("pragma journal_mode = wal; create table t (id integer primary key)")
        .expect("it works");
    for tables in 2..6 {
        let make = format!("create table t{tables} (id integer primary key)");
        writer.execute_batch(&make).expect("it works");
        assert_eq!(folder.glance().count_tables().expect("it works"), tables);
    }
}

#[test]
fn a_file_that_is_none_is_named_by_its_code() {
    let folder = Folder::new("none");
    assert_eq!(folder.glance().way().unwrap_err().code, Code::FileMissing);
    fs::create_dir(folder.path()).expect("it works");
    assert_eq!(folder.glance().way().unwrap_err().code, Code::FileUnsuitable);
    fs::remove_dir(folder.path()).expect("it works");
    fs::write(folder.path(), "a text").expect("it works");
    assert_eq!(folder.glance().count_tables().unwrap_err().code, Code::FileUnsuitable);
    fs::write(folder.path(), "").expect("it works");
    assert_eq!(
        folder.glance().count_tables().expect("it works"),
        0,
        "an empty file is an empty database"
    );
    let reader = folder.open();
    reader
        .execute_batch("create table t (id integer primary key); begin exclusive")
        .expect("it works");
    assert_eq!(folder.glance().count_tables().unwrap_err().code, Code::FileLocked);
}

#[test]
fn a_sketch_tells_values_from_what_is_too_long_to_be_one() {
    let folder = Folder::new("sketch");
    folder
        .open()
        .execute_batch(
            "create table one (id integer primary key);
             create table two (id integer primary key, one_id int references one, body text);
             insert into one values (1);
             insert into two values (1, null, hex(zeroblob(60))), (2, 1, 'x'), (3, 1, 'x');
             create table instep_own (id integer primary key);
             create table zero (line text);",
        )
        .expect("it works");
    let bounds = SketchBounds { tables_max: 2, sample_rows_max: 10, counted_rows_max: 2 };
    let sketch = folder.glance().sketch(&bounds).expect("it works");
    let names: Vec<_> = sketch.tables.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((names, sketch.more), (vec!["one", "two"], 1));
    let two = &sketch.tables[1];
    assert_eq!((two.rows, two.has_more_rows), (2, true));
    let seen: Vec<_> = two.columns.iter().map(|it| (it.distinct, it.nulls, it.large)).collect();
    assert_eq!(seen, [(3, 0, 0), (1, 1, 0), (1, 0, 1)]);
    assert_eq!(two.columns.iter().map(|it| it.refers).collect::<Vec<_>>(), [false, true, false]);
}

#[test]
fn how_rows_fit_is_seen_without_making_the_table() {
    let folder = Folder::new("fit");
    let file = folder.open();
    let tables = "create table s (id integer primary key, a int, b int);
        create table t (id integer primary key, a int references u)";
    file.execute_batch(tables).expect("it works");
    let (glance, table) = (folder.glance(), folder.glance().table(&"s".into()).expect("it works"));
    let fit = glance.fit(&CopyTo::new("c", "t"), &table).expect("it works");
    assert_eq!((fit.is_there, fit.columns), (true, 2));
    assert_eq!((fit.left_out, fit.refers), (vec!["b".to_owned()], vec!["u".to_owned()]));
    let missing = CopyTo::new("c", "new");
    assert_eq!(glance.fit(&missing, &table).unwrap_err().code, Code::CopyTableMissing);
    let made = CopyTo { create: true, ..missing };
    assert!(!glance.fit(&made, &table).expect("it works").is_there);
    assert_eq!(glance.count_tables().expect("it works"), 2);
}
