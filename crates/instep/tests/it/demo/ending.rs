//! A demo that is stopped leaves nothing: no file, no process.

use super::performance::Place;

fn stopped(signal: &str, code: i32) {
    let place = Place::new();
    let mut demo = place.begin("demo --duration 60m");
    demo.says("0:00  30 changes");
    place.has_instep();
    assert!(!place.left().is_empty());
    demo.signal(signal);
    let ended = demo.ended();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(code), "{said}");
    assert!(said.contains("stopped before the comparison; nothing is left"), "{said}");
    assert_eq!(place.left(), Vec::<std::path::PathBuf>::new());
    assert_eq!(place.processes(), Vec::<String>::new());
}

#[test]
fn an_interrupt_leaves_nothing() {
    stopped("INT", 130);
}

#[test]
fn a_request_to_end_leaves_nothing() {
    stopped("TERM", 143);
}

#[test]
fn a_terminal_that_is_closed_leaves_nothing() {
    stopped("HUP", 143);
}

#[test]
fn a_demo_that_is_told_to_quit_leaves_nothing_behind() {
    stopped("QUIT", 130);
}

#[test]
fn a_demo_that_can_not_be_is_refused_before_anything_is_made() {
    let place = Place::new();
    for line in ["demo --duration 1s", "demo --duration 61m", "demo --duration soon"] {
        let ran = place.run(&format!("--json {line}"));
        assert_eq!(ran.status.code(), Some(2), "{line}");
    }
    assert!(place.left().is_empty());
}
