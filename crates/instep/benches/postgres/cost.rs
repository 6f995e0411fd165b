//! What keeping a count costs whoever writes: transactions a second of eight clients with nothing,
//! with a slot that is drained, with a trigger and a counter table, and with Instep, which captures
//! and counts on the same two cores.

use crate::server::Place;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Who keeps the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    Nobody,
    DrainedSlot,
    Trigger,
    Instep,
}

/// All of them, in the order of the table.
pub(crate) const KEEPERS: [(&str, Keeper); 4] = [
    ("no count", Keeper::Nobody),
    ("a slot, drained by pg_recvlogical", Keeper::DrainedSlot),
    ("a trigger and a counter table", Keeper::Trigger),
    ("Instep, captured and counted", Keeper::Instep),
];

/// What clients have: transactions a second, and the slowest of a hundred in milliseconds.
pub(crate) struct Cost {
    pub(crate) rate: f64,
    pub(crate) slow: f64,
}

/// Lets the clients write while somebody keeps the count.
pub(crate) fn cost(place: &Place, keeper: Keeper, seconds: u32) -> Cost {
    place.make_questions(keeper == Keeper::Trigger);
    let keeping = match keeper {
        Keeper::Nobody | Keeper::Trigger => None,
        Keeper::DrainedSlot => Some(place.drain()),
        Keeper::Instep => Some(instep(place)),
    };
    let cost = place.clients(seconds);
    if let Some(mut child) = keeping {
        child.kill().expect("it runs");
        child.wait().expect("its end");
    }
    place.drop_slots();
    cost
}

fn instep(place: &Place) -> Child {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/bench-postgres-cost");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).expect("a folder");
    let config = format!(
        "version: 1\ndata_dir: data\nlisten: 127.0.0.1:0\n\
         services: {{ app: {{ postgres: \"{}\" }} }}\n\
         sources: {{ quiz: {{ from: app, tables: [public.question] }} }}\n\
         counts: {{ questions: {{ of: quiz/public.question, by: [topic] }} }}\n",
        place.database()
    );
    fs::write(dir.join("instep.yaml"), config).expect("a configuration");
    let log = fs::File::create(dir.join("log")).expect("a log");
    let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_instep")));
    command.arg("run").current_dir(&dir).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn().expect("the program");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its words")).read_line(&mut line).expect("one");
    assert!(line.starts_with("ready"), "{line}");
    place.wait_for_reader();
    child
}
