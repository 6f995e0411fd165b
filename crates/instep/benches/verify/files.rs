//! The same table in two SQLite files.

use crate::ROWS;
use rusqlite::{Connection, params};
use std::fs;
use std::path::{Path, PathBuf};

/// A file and its copy, gone with this.
pub(crate) struct Files {
    folder: PathBuf,
}

impl Files {
    /// Both with the same rows.
    pub(crate) fn make(folder: &Path) -> Self {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).expect("a folder");
        fill(&folder.join("source.db")).expect("a filled file");
        fs::copy(folder.join("source.db"), folder.join("copy.db")).expect("a copy of it");
        Self { folder: folder.to_owned() }
    }

    /// The URLs of both tables.
    pub(crate) fn tables(&self) -> [String; 2] {
        ["source.db", "copy.db"]
            .map(|name| format!("sqlite:{}?table=item", self.folder.join(name).display()))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn fill(path: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "create table item (id integer primary key, kind integer not null, a integer, b real,
             at text not null, name text, flag integer, body text)",
    )?;
    let transaction = connection.transaction()?;
    {
        let insert = "insert into item values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let mut insert = transaction.prepare(insert)?;
        let (at, body) = ("2026-01-01T00:00:00Z", "b".repeat(120));
        for id in 1..=ROWS {
            let (a, b, name) = (i64::from(id) * 7, f64::from(id) * 1.25, format!("name {id}"));
            insert.execute(params![id, id % 100, a, b, at, name, id % 2 == 0, body])?;
        }
    }
    transaction.commit()
}
