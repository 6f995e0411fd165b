//! A table and its copy in files of a folder, and the program over them.

use crate::program::{Folder, Ran};
use crate::rig::open;
use std::process::Command;

/// A table and its copy: ten questions, in `source.db` and in `copy.db`.
pub(super) struct Pair {
    pub(super) folder: Folder,
}

/// What both files have.
const QUESTION: &str =
    "create table question (id integer primary key, topic int, title text, score real);
    with recursive number (id) as (values (1) union all select id + 1 from number where id < 10)
    insert into question select id, id % 3, 'question ' || id, id / 2.0 from number";

impl Pair {
    pub(super) fn new() -> Self {
        let pair = Self { folder: Folder::new() };
        pair.write("source.db", QUESTION);
        pair.write("copy.db", QUESTION);
        pair
    }

    /// One that has a row too few, one too many, and one that is another.
    pub(super) fn broken() -> Self {
        let pair = Self::new();
        pair.write(
            "copy.db",
            "delete from question where id = 3;
             insert into question values (11, 1, '=secret()', null);
             update question set title = 'it''s; drop table question', score = -1.5 where id = 7",
        );
        pair
    }

    pub(super) fn write(&self, name: &str, sql: &str) {
        open(&self.folder.path().join(name)).execute_batch(sql).unwrap();
    }

    /// Compares, with these flags; rows settle soon.
    pub(super) fn verify(&self, flags: &str) -> Ran {
        let line =
            "verify --source sqlite:source.db?table=question --copy sqlite:copy.db --settle 100ms";
        self.folder.run(&format!("{line} {flags}"))
    }

    /// The same by a program that runs on.
    pub(super) fn program(&self, flags: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
        let line = "verify --source sqlite:source.db?table=question --copy sqlite:copy.db";
        command.args(line.split_whitespace()).args(flags.split_whitespace());
        command.current_dir(self.folder.path()).env_clear();
        command
    }
}
