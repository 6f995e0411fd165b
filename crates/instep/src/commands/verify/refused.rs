//! PURE: why a comparison does not begin, as a report with the code to exit with.

use crate::problem::Problem;
use crate::report::{Exit, Report};
use compare::Refused;
use model::{Code, Fault};

/// The report of a comparison that does not begin.
pub(super) fn refused(refused: Refused) -> Report {
    match refused {
        Refused::Terms { what, fix } => {
            let why = "what was asked for does not fit these two tables";
            let problem = Problem::new(Code::Usage, what.clone(), why, fix);
            Report::failed(Exit::Usage, what, vec![problem])
        }
        Refused::Store { side, fault } => {
            let Fault { code, what, source, .. } = fault;
            let cause = source.map(|source| source.to_string()).filter(|it| !what.contains(it));
            let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
            let names_it = what.contains(&side.to_string());
            let of = if names_it { String::new() } else { format!("{side}: ") };
            let problem = Problem::of(code, format!("{of}{what}{cause}"));
            Report::failed(exit(code), problem.what.clone(), vec![problem])
        }
    }
}

/// What is no way in is no verdict; what can not be compared is unverified.
fn exit(code: Code) -> Exit {
    match code {
        Code::SourceUnavailable | Code::TargetUnavailable => Exit::Unreachable,
        Code::FileMissing | Code::FileLocked => Exit::Unreachable,
        Code::PostgresLogin | Code::PostgresPrivilege | Code::PostgresTls | Code::FileDenied => {
            Exit::Denied
        }
        _ => Exit::Unverified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use compare::Side;

    #[test]
    fn who_can_not_get_in_has_no_verdict() {
        let of = |code| {
            let fault = Fault::stop(code, "what");
            refused(Refused::Store { side: Side::Copy, fault })
        };
        for (code, exit) in [
            (Code::SourceUnavailable, Exit::Unreachable),
            (Code::FileMissing, Exit::Unreachable),
            (Code::PostgresLogin, Exit::Denied),
            (Code::PostgresTls, Exit::Denied),
            (Code::PostgresPrivilege, Exit::Denied),
            (Code::TableMissing, Exit::Unverified),
            (Code::TableNoKey, Exit::Unverified),
            (Code::FileUnsuitable, Exit::Unverified),
        ] {
            let report = of(code);
            assert_eq!((report.exit, report.problems[0].code), (exit, code));
            assert_eq!(report.problems[0].what, "copy: what");
        }
        let fault = Fault::stop(Code::TableMissing, "the copy has no table");
        let report = refused(Refused::Store { side: Side::Copy, fault });
        assert_eq!(report.summary, "the copy has no table");
        let terms = Refused::Terms { what: "no column x".into(), fix: "name one".into() };
        let report = refused(terms);
        assert_eq!((report.exit, report.problems[0].code), (Exit::Usage, Code::Usage));
    }
}
