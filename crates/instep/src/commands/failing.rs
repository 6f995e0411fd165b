//! What a fault means for a command: a report with the code to exit with.

use crate::problem::Problem;
use crate::report::{Exit, Report};
use model::{Code, Fault};

/// The report of a command that met a fault.
pub(super) fn failed(fault: Fault) -> Report {
    let Fault { code, mut what, source, .. } = fault;
    let cause = source.map(|source| source.to_string()).filter(|cause| !what.contains(cause));
    if let Some(cause) = cause {
        what = format!("{what}: {cause}");
    }
    let problem = Problem::of(code, what.clone());
    Report::failed(exit(code), what, vec![problem])
}

fn exit(code: Code) -> Exit {
    match code {
        Code::DataLocked | Code::DeletesGuarded | Code::SourceChanged | Code::SourceFollowed => {
            Exit::Refused
        }
        // Who reads the slot has to let it go first.
        Code::PostgresSlot => Exit::Refused,
        Code::ListenInUse | Code::ListenFailed | Code::ListenOpen | Code::TlsFiles => Exit::Usage,
        Code::SourceUnavailable | Code::TargetUnavailable => Exit::Unreachable,
        Code::FileMissing | Code::FileLocked => Exit::Unreachable,
        Code::PostgresTls | Code::PostgresPooler | Code::PostgresStandby => Exit::Unreachable,
        Code::FileDenied | Code::PostgresLogin | Code::PostgresPrivilege => Exit::Denied,
        Code::FileUnsuitable | Code::PostgresUrl => Exit::Usage,
        Code::NotMeasured => Exit::Unverified,
        _ => Exit::Unexpected,
    }
}
