//! PURE: what all looks together come to.

use super::check::{Group, State};
use super::processes::Lock;
use crate::problem::Problem;
use crate::report::{Exit, Report};
use serde_json::json;

/// The report of these groups. Only what was looked at and found good is good.
pub(super) fn verdict(groups: &[Group], lock: Lock) -> Report {
    let (is_running, pid) = match lock {
        Lock::Free => (false, None),
        Lock::Held(pid) => (true, pid),
    };
    let failed = count(groups, State::Failed);
    let unknown = count(groups, State::NotMeasured);
    let warned = count(groups, State::Warning);
    let good = count(groups, State::Good);
    let mut parts = Vec::new();
    let mut say = |count: usize, one: &str, many: &str| {
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    };
    say(failed, "check failed", "checks failed");
    say(unknown, "could not be made", "could not be made");
    say(warned, "warning", "warnings");
    say(good, "good", "good");
    let counted = parts.join(", ");
    let problems: Vec<Problem> = groups.iter().flat_map(problems).collect();
    let report = match (failed, unknown) {
        (0, 0) if warned == 0 => Report::done(format!("everything is in order: {counted}")),
        (0, 0) => Report::done(format!("it works: {counted}")),
        (0, _) => Report::failed(Exit::Unverified, format!("not known: {counted}"), Vec::new()),
        _ => Report::failed(Exit::Differences, format!("not in order: {counted}"), Vec::new()),
    };
    let report = steps(report, &problems, is_running).warned(problems);
    let groups: Vec<_> = groups.iter().map(Group::to_json).collect();
    report.with("", json!({ "groups": groups, "running": is_running, "pid": pid }))
}

fn count(groups: &[Group], state: State) -> usize {
    let checks = groups.iter().flat_map(|group| &group.checks);
    checks.filter(|check| check.state == state).count()
}

/// What is wrong in a group, each said with whose it is.
fn problems(group: &Group) -> impl Iterator<Item = Problem> {
    let problems = group.checks.iter().filter_map(|check| check.problem.as_ref());
    problems.map(|problem| Problem {
        what: format!("{}: {}", group.name, problem.what),
        ..problem.clone()
    })
}

fn steps(mut report: Report, problems: &[Problem], is_running: bool) -> Report {
    let mut codes: Vec<_> = problems.iter().map(|problem| problem.code).collect();
    codes.sort_unstable();
    codes.dedup();
    for code in codes.into_iter().filter(|code| !code.is_warning()) {
        report = report.next(format!("read what {code} means"), format!("instep explain {code}"));
    }
    match report.exit {
        Exit::Done if is_running => report.next("see how it is doing", "instep status"),
        Exit::Done => report.next("start it", "instep run"),
        _ => report.next("look again once that is mended", "instep doctor"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{Check, Layer};
    use super::*;
    use crate::report::Status;
    use model::Code;

    fn group(codes: &[Option<Code>]) -> Group {
        let check = |code: &Option<Code>| match code {
            None => Check::good(Layer::Name, "tried", "found"),
            Some(code) => Check::bad(Layer::Name, "tried", *code, "found"),
        };
        Group { checks: codes.iter().map(check).collect(), ..Group::new("app", "about") }
    }

    #[test]
    fn a_failed_check_never_ends_well_and_a_warning_never_badly() {
        let (warning, failed) = (Some(Code::DiskLow), Some(Code::FileMissing));
        let unknown = Some(Code::NotMeasured);
        for (codes, exit) in [
            (vec![None], Exit::Done),
            (vec![None, warning], Exit::Done),
            (vec![warning, failed], Exit::Differences),
            (vec![failed, unknown], Exit::Differences),
            (vec![None, unknown, warning], Exit::Unverified),
        ] {
            let report = verdict(&[group(&[None]), group(&codes)], Lock::Free);
            assert_eq!((report.exit, report.status), (exit, exit.status()), "{codes:?}");
            assert_eq!(report.problems.len(), codes.iter().flatten().count());
        }
    }

    #[test]
    fn a_problem_says_whose_it_is_and_what_to_do_next() {
        let report = verdict(&[group(&[Some(Code::FileMissing)])], Lock::Free);
        assert_eq!(report.status, Status::Differences);
        assert_eq!(report.problems[0].what, "app: found");
        let commands: Vec<_> = report.next_steps.iter().flat_map(|it| &it.command).collect();
        assert_eq!(commands, ["instep explain E-FILE-MISSING", "instep doctor"]);
    }
}
