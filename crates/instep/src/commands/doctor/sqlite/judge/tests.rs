//! What the answers of a SQLite file mean, answer by answer.

use super::*;
use crate::commands::doctor::check::State;
use crate::config::Capture;

fn code(check: &Check) -> Option<Code> {
    check.problem.as_ref().map(|problem| problem.code)
}

fn part(source: bool, target: bool) -> Part {
    Part {
        outbox: None,
        source: source.then(|| "quiz".to_owned()),
        tables: Vec::new(),
        capture: Capture::Log,
        written: target.then(|| ("a".into(), false)).into_iter().collect(),
        is_made: false,
    }
}

#[test]
fn a_missing_file_is_good_only_where_it_will_be_made() {
    let missing = || Err(ErrorKind::NotFound.into());
    let at = Path::new("/nowhere/a.db");
    assert_eq!(code(&place(at, true, missing())), None);
    assert_eq!(code(&place(at, false, missing())), Some(Code::FileMissing));
    let denied = place(at, true, Err(ErrorKind::PermissionDenied.into()));
    assert_eq!(code(&denied), Some(Code::FileDenied));
    let unknown = place(at, true, Err(ErrorKind::TimedOut.into()));
    assert_eq!(unknown.state, State::NotMeasured);
}

#[test]
fn rights_are_judged_by_what_the_part_needs() {
    let may = |read, write, write_beside| Rights {
        read,
        write,
        write_beside,
        folder: PathBuf::from("/data"),
    };
    let (source, target, none) = (part(true, false), part(false, true), part(false, false));
    for (part, may, expected) in [
        (&source, may(true, true, true), None),
        (&source, may(true, false, true), Some(Code::SourceReadOnly)),
        (&source, may(true, true, false), Some(Code::SourceReadOnly)),
        (&source, may(false, false, true), Some(Code::FileDenied)),
        (&target, may(true, false, true), Some(Code::FileDenied)),
        (&target, may(true, true, true), None),
        (&none, may(true, false, false), None),
        (&none, may(false, false, false), Some(Code::FileDenied)),
    ] {
        assert_eq!(code(&rights(part, None, &may)), expected, "{part:?} {may:?}");
    }
}

#[test]
fn a_source_without_some_of_its_triggers_is_warned_of() {
    let sound = Recording {
        identity: Some("one".into()),
        followed_by: None,
        is_of_other_version: false,
        last: 7,
        triggers: 5,
        lacking: [].into(),
        new: Vec::new(),
    };
    assert_eq!(source(&sound).state, State::Good);
    let lacking = Recording { lacking: [("item".into(), 2)].into(), ..sound.clone() };
    assert_eq!(code(&source(&lacking)), Some(Code::SourceTriggers));
    let newer = Recording { is_of_other_version: true, ..sound };
    assert_eq!(code(&source(&newer)), Some(Code::SourceUnavailable));
}

#[test]
fn a_lock_of_the_instep_that_runs_is_none_of_a_stranger() {
    let holder = |pid| Holder { pid, excludes_readers: false };
    let locked = |pid, running| code(&locked(holder(pid), 9, Duration::from_secs(4), running));
    assert_eq!(locked(Some(u32::MAX), None), Some(Code::FileLocked));
    assert_eq!(locked(None, None), Some(Code::FileLocked));
    assert_eq!(locked(Some(7), Some(7)), Some(Code::ServiceSlow));
}

#[test]
fn what_takes_longer_than_a_second_is_slow() {
    let fast = Duration::from_millis(3);
    assert_eq!(latency((fast, fast)).state, State::Good);
    assert_eq!(latency((SLOW * 2, Duration::ZERO)).state, State::Warning);
    assert_eq!(latency((fast, SLOW * 2)).state, State::Warning);
}
