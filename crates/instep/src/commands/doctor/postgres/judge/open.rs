//! PURE: transactions that hold up the making of a slot.

use super::sql;
use crate::commands::doctor::check::{Check, Layer};
use crate::problem::Problem;
use connectors::postgres::glance::{Open, Whose};
use model::Code;

/// What is tried.
pub(in crate::commands::doctor::postgres) const OPEN: &str =
    "look for open transactions that its slot would wait for";

/// A transaction that is open for so long is no part of ordinary work.
const LONG_SECONDS: u64 = 30;

/// As many are told of one by one.
const TOLD_MAX: usize = 5;

/// Whether we may not know of some since when they are open.
pub(in crate::commands::doctor::postgres) fn has_hidden(open: &[Open]) -> bool {
    open.iter().any(|open| open.seconds.is_none())
}

/// What two looks show, a second apart where the beginning of some is hidden from us.
pub(in crate::commands::doctor::postgres) fn open(first: &[Open], second: &[Open]) -> Check {
    let layer = Layer::Capability;
    let stayed = |open: &&Open| first.iter().any(|it| it.number == open.number);
    let is_long = |open: &&Open| open.seconds.is_none_or(|it| it >= LONG_SECONDS);
    let long: Vec<_> = second.iter().filter(stayed).filter(is_long).collect();
    if long.is_empty() {
        return Check::good(layer, OPEN, "there is none that has been open for long");
    }
    let told: Vec<_> = long.iter().take(TOLD_MAX).map(|open| shown(open)).collect();
    let more = match long.len().saturating_sub(TOLD_MAX) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let what = format!("open are {}{more}", told.join(", "));
    let ends: Vec<_> = long.iter().take(TOLD_MAX).map(|open| end(open)).collect();
    let fix = format!("let them end, or end them: {}", ends.join("; "));
    let why = Code::PostgresWaits.why();
    Check::problem(layer, OPEN, Problem::new(Code::PostgresWaits, what, why, fix))
}

fn shown(open: &Open) -> String {
    let whose = match &open.whose {
        Whose::Process(process) => format!("that of process {process}"),
        Whose::Prepared(name) => format!("the prepared one {}", sql::text(name)),
    };
    let role = open.role.as_ref().map(|role| format!(" of {role}")).unwrap_or_default();
    let since = match open.seconds {
        Some(seconds) => format!("for {seconds} s"),
        None => "for longer than a second".to_owned(),
    };
    format!("{whose}{role} {since}")
}

fn end(open: &Open) -> String {
    match &open.whose {
        Whose::Process(process) => format!("select pg_terminate_backend({process})"),
        Whose::Prepared(name) => format!("rollback prepared {}", sql::text(name)),
    }
}
