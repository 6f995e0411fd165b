//! PostgreSQL's errors, judged: the one place that looks at their codes.
//!
//! What may pass by itself (the server is away, full, busy or switching over) is tried again. So is,
//! with pauses, what a person changes at the server: whoever gives the role its right back, or lets
//! it in, does not know that Instep would have to be started again. What a server has against a
//! statement stops a target, and a source is asked again. What no PostgreSQL says stops both. A slot
//! or write-ahead log that is gone is lost history.

use super::trouble::{Refused, Trouble};
use model::{Code, Fate, Fault};

/// Which side of Instep a database stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// Its changes are followed.
    Source,
    /// Changes are applied to it.
    Target,
}

impl Side {
    fn unavailable(self) -> Code {
        match self {
            Side::Source => Code::SourceUnavailable,
            Side::Target => Code::TargetUnavailable,
        }
    }

    /// What becomes of work whose statement the server does not take.
    fn refused(self) -> Fate {
        match self {
            Side::Source => Fate::Retry,
            Side::Target => Fate::Stop,
        }
    }
}

/// What trouble with a database means for whoever works with it. `at` says which database it is.
pub fn judge(side: Side, at: &str, trouble: Trouble) -> Fault {
    let (fate, code) = match &trouble {
        Trouble::Broken(_) | Trouble::Silent(_) | Trouble::Role(_) => {
            (Fate::Retry, side.unavailable())
        }
        Trouble::Tls(_) => (Fate::Retry, Code::PostgresTls),
        Trouble::Login(_) => (Fate::Retry, Code::PostgresLogin),
        Trouble::Malformed(_) => (Fate::Stop, Code::PostgresMessage),
        Trouble::Refused(refused) => judge_refused(side, refused),
    };
    Fault { fate, code, what: format!("{at}: {trouble}"), source: Some(Box::new(trouble)) }
}

fn judge_refused(side: Side, refused: &Refused) -> (Fate, Code) {
    let state = refused.sqlstate.as_str();
    match (state, state.get(..2).unwrap_or_default()) {
        // The segment that should come next was removed.
        ("58P01", _) if side == Side::Source => (Fate::Lost, Code::SourceHistoryLost),
        // Of a standby that is not up yet, of one that was a primary, or of a slot in use.
        // Or the server has ended a transaction, and the connection with it, for taking too long.
        ("25P03" | "25P04" | "55006" | "55P03" | "25006" | "57014" | "58030" | "58P01", _) => {
            (Fate::Retry, side.unavailable())
        }
        ("42501", _) => (Fate::Retry, Code::PostgresPrivilege),
        ("3D000", _) | (_, "28") => (Fate::Retry, Code::PostgresLogin),
        // The connection; resources; a rollback; an operator; the server's own failures.
        ("08P01", _) => (side.refused(), Code::PostgresRefused),
        (_, "08" | "40" | "53" | "57" | "XX") => (Fate::Retry, side.unavailable()),
        _ => (side.refused(), Code::PostgresRefused),
    }
}

#[cfg(test)]
mod tests {
    use super::{Side, judge};
    use crate::postgres::trouble::{Refused, Trouble};
    use model::{Code, Fate};
    use std::io;

    fn judged(sqlstate: &str) -> (Fate, Code) {
        judged_at(Side::Source, sqlstate)
    }

    fn judged_at(side: Side, sqlstate: &str) -> (Fate, Code) {
        let refused = Refused { sqlstate: sqlstate.into(), ..Refused::default() };
        let fault = judge(side, "db:5432", Trouble::Refused(Box::new(refused)));
        (fault.fate, fault.code)
    }

    #[test]
    fn what_passes_by_itself_is_tried_again() {
        for sqlstate in [
            "57P01", "57P02", "57P03", "53300", "53100", "40001", "40P01", "55006", "08006",
            "25006", "25P03", "25P04",
        ] {
            assert_eq!(judged(sqlstate), (Fate::Retry, Code::SourceUnavailable), "{sqlstate}");
        }
        let fault = judge(Side::Target, "db:5432", io::Error::other("gone").into());
        assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::TargetUnavailable));
        assert_eq!(fault.what, "db:5432: the connection failed: gone");
    }

    #[test]
    fn what_a_person_changes_at_the_server_is_asked_for_again() {
        for (sqlstate, code) in [
            ("28P01", Code::PostgresLogin),
            ("28000", Code::PostgresLogin),
            ("3D000", Code::PostgresLogin),
            ("42501", Code::PostgresPrivilege),
        ] {
            for side in [Side::Source, Side::Target] {
                assert_eq!(judged_at(side, sqlstate), (Fate::Retry, code), "{side:?} {sqlstate}");
            }
        }
    }

    #[test]
    fn a_statement_that_is_not_taken_stops_a_target_and_a_source_is_asked_again() {
        for sqlstate in ["42P01", "08P01", "0A000", "", "ü"] {
            let of = |side| judged_at(side, sqlstate);
            assert_eq!(of(Side::Target), (Fate::Stop, Code::PostgresRefused), "{sqlstate}");
            assert_eq!(of(Side::Source), (Fate::Retry, Code::PostgresRefused), "{sqlstate}");
        }
    }

    #[test]
    fn what_no_postgresql_says_stops() {
        for side in [Side::Source, Side::Target] {
            let fault = judge(side, "db:5432", Trouble::Malformed("odd".into()));
            assert_eq!((fault.fate, fault.code), (Fate::Stop, Code::PostgresMessage));
        }
    }

    #[test]
    fn a_log_that_was_removed_is_lost_history() {
        assert_eq!(judged("58P01"), (Fate::Lost, Code::SourceHistoryLost));
    }

    #[test]
    fn a_detail_is_not_told_because_it_may_show_a_row() {
        let refused = Refused {
            sqlstate: "23505".into(),
            message: "duplicate key".into(),
            detail: Some("Key (email)=(ann@example.com) already exists.".into()),
            ..Refused::default()
        };
        let fault = judge(Side::Target, "db", Trouble::Refused(Box::new(refused)));
        assert_eq!(fault.what, "db: duplicate key (23505)");
    }
}
