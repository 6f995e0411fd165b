//! What came of a statement that failed: rows that are refused, or a server that cannot be worked
//! with.

use crate::postgres::access::Access;
use crate::postgres::fault::{Side, judge};
use crate::postgres::trouble::Trouble;
use model::{Code, Fault};

/// Why something was not written.
#[derive(Debug)]
pub(super) enum Failure {
    /// A row is none that the table takes.
    Refused(Refusal),
    /// The server cannot be worked with now, or not in this way.
    Fault(Fault),
}

/// A row that the table does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// Why, in the server's words, which name columns and no values.
    pub(super) reason: String,
    /// Which rule it breaks.
    pub(super) rule: Rule,
    /// The constraint or index that says no.
    pub(super) constraint: Option<String>,
}

/// A rule of a table, as far as another row may be why a row breaks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Two rows are not to be equal here.
    Unique,
    /// A row refers to another.
    ForeignKey,
    /// Any other rule.
    Own,
}

impl Failure {
    /// A refusal of ours.
    pub(super) fn refused(reason: impl Into<String>) -> Self {
        let refusal = Refusal { reason: reason.into(), rule: Rule::Own, constraint: None };
        Failure::Refused(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}

/// The servers of an access, as a person names them.
pub(super) fn place(access: &Access) -> String {
    let servers: Vec<_> = access.servers.iter().map(ToString::to_string).collect();
    servers.join(",")
}

/// Judges the failure of a statement that wrote rows. The statement was sound when it was made, so
/// what the server has against the data is the rows' fault, and what it has against the statement
/// means that the table has become another one, which is looked at again.
pub(super) fn of_rows(access: &Access, trouble: Trouble) -> Failure {
    let Some(refused) = trouble.refused() else { return of_server(access, trouble).into() };
    let state = refused.sqlstate.as_str();
    let rule = match state {
        "23505" => Rule::Unique,
        "23503" => Rule::ForeignKey,
        _ => Rule::Own,
    };
    match (state, state.get(..2).unwrap_or_default()) {
        // Data, its integrity, a view's condition, what triggers raise, and rows too large to index.
        ("44000" | "54000", _) | (_, "22" | "23" | "P0" | "09" | "27" | "2F" | "38" | "39") => {
            let (reason, constraint) = (refused.to_string(), refused.constraint.clone());
            Failure::Refused(Refusal { reason, rule, constraint })
        }
        ("42P01" | "42703" | "42P10" | "42804" | "428C9", _) => {
            let what = format!("{}: a table has changed: {refused}", place(access));
            Fault::retry(Code::CopyColumns, what).because(trouble).into()
        }
        _ => of_server(access, trouble).into(),
    }
}

/// Judges the failure of any other statement.
pub(super) fn of_server(access: &Access, trouble: Trouble) -> Fault {
    judge(Side::Target, &place(access), trouble)
}

/// What Instep has noted in the database is not what it wrote.
pub(super) fn damaged(access: &Access, what: &str) -> Fault {
    Fault::stop(Code::TargetDamaged, format!("{}: {what}", place(access)))
}
