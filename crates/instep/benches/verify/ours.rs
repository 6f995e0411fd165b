//! Our side: the program, as a person would run it.

use crate::ROWS;
use crate::ran::{self, Ran};
use serde_json::Value;
use std::process::Command;

/// Compares two tables of which so many rows differ.
pub(crate) fn compare([source, copy]: &[String; 2], differing: u32) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_instep"));
    command.args(["verify", "--json", "--settle", "0s", "--source", source, "--copy", copy]);
    let ran = ran::run(&mut command);
    let code = if differing == 0 { 0 } else { 3 };
    assert_eq!(ran.code, Some(code), "{} {}", ran.out, ran.err);
    let said: Value = serde_json::from_str(&ran.out).expect("a document");
    let data = &said["data"];
    for (what, rows) in [
        ("compared", ROWS),
        ("different", differing),
        ("missing", 0),
        ("extra", 0),
        ("unsettled", 0),
    ] {
        assert_eq!(data[what], rows, "{what}");
    }
    ran
}
