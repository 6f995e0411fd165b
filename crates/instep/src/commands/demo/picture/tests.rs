//! The picture on screens of several sizes; the usual one is the capture that pages show.

use super::super::compare::Rows;
use super::super::moment::{Doing, Moment, Seen};
use super::super::numbers::Numbers;
use super::super::plan::TOPICS;
use super::*;
use std::fs;
use std::path::Path;
use std::time::Duration;

fn numbers(of: [i64; 5]) -> Numbers {
    TOPICS.iter().map(|topic| (*topic).to_owned()).zip(of).collect()
}

/// A moment of a real run.
fn moment() -> Moment {
    let truth = numbers([213, 204, 222, 234, 223]);
    let today = [[198, 195, 209, 230, 200], [211, 202, 223, 234, 221], [171, 177, 160, 179, 169]];
    let at = |seconds, text: &str| (Duration::from_secs(seconds), text.to_owned());
    Moment {
        elapsed: Duration::from_secs(35),
        whole: Duration::from_secs(60),
        changes: 3_990,
        seed: 7,
        today: Seen {
            recount: truth.clone(),
            answers: today.map(|told| Some(numbers(told))),
            rows: Rows { compared: 1_102, missing: 9, extra: 6, different: 17 },
        },
        followed: Seen {
            recount: truth.clone(),
            answers: [(); 3].map(|()| Some(truth.clone())),
            rows: Rows { compared: 1_096, ..Rows::default() },
        },
        failed: 860,
        instep: Doing::Equal,
        store_stopped: false,
        happened: vec![
            at(0, "the first second write failed; it was logged, and that was all"),
            at(7, "8 clients dropped their connections while they wrote"),
            at(13, "Instep was killed (SIGKILL); its services answer what was true then"),
            at(17, "Instep is back: every answer is right 0.2 s after its start"),
            at(25, "both reporting stores take no writes"),
            at(33, "both reporting stores take writes again"),
            at(33, "the pushed counts are right after 0.1 s; what was lost today stays lost"),
        ],
        has_keys: true,
    }
}

fn text(moment: &Moment, width: usize, height: usize) -> String {
    lines(moment, width, height).iter().map(|line| line.written(width, false) + "\n").collect()
}

#[test]
fn the_captured_picture_is_what_the_code_draws() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let (page, readme) = (root.join("docs/demo.txt"), root.join("README.md"));
    let drawn = text(&moment(), 80, 24);
    let captured = fs::read_to_string(&page).unwrap_or_default();
    let shown = fs::read_to_string(&readme).unwrap();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&readme, shown.replace(&captured, &drawn)).unwrap();
        fs::write(&page, drawn).unwrap();
        return;
    }
    let mend = "make it anew with UPDATE=1 cargo test -p instep --lib captured";
    assert_eq!(captured, drawn, "{mend}");
    assert!(shown.contains(&format!("\n{drawn}```\n")), "the README: {mend}");
}

#[test]
fn a_picture_fits_any_screen_on_which_it_is_drawn() {
    for (width, height) in [(44, 14), (60, 24), (78, 18), (80, 24), (200, 80)] {
        let text = text(&moment(), width, height);
        assert!(text.lines().count() < height, "{width} x {height}:\n{text}");
        assert!(text.lines().all(|line| line.chars().count() <= width));
        assert!(text.contains("TODAY") && text.contains("WITH INSTEP"), "{text}");
    }
}

#[test]
fn a_number_that_is_wrong_is_seen_without_colour() {
    let mut moment = moment();
    let wide = text(&moment, 80, 24);
    assert!(wide.contains("213   198 -15   211 -2    171 -42"), "{wide}");
    assert!(text(&moment, 50, 24).contains("1091 -5"), "the narrow one");
    moment.followed.answers[1].as_mut().unwrap().insert("music".to_owned(), 9);
    moment.instep = Doing::CatchingUp;
    moment.store_stopped = true;
    let wide = text(&moment, 80, 24);
    assert!(wide.contains("9 -214") && wide.contains("a store takes no writes"), "{wide}");
}

#[test]
fn the_last_happenings_are_the_ones_that_are_seen() {
    let mut moment = moment();
    moment.happened = (0..50).map(|at| (Duration::from_secs(at), format!("it {at}"))).collect();
    let text = text(&moment, 80, 24);
    assert!(text.contains("it 49") && !text.contains("it 3 "), "{text}");
}
