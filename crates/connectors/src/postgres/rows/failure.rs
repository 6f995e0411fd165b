//! What ends an answer.

use crate::postgres::access::Access;
use crate::postgres::fault::{Side, judge};
use crate::postgres::trouble::Trouble;
use model::Fault;

/// What ends an answer: trouble with the server, or what was found there.
#[derive(Debug)]
pub(in crate::postgres) enum Failure {
    Trouble(Trouble),
    Fault(Fault),
}

impl Failure {
    /// What it means, with the address of the server.
    pub(in crate::postgres) fn judged(self, access: &Access) -> Fault {
        match self {
            Failure::Trouble(trouble) => {
                let servers: Vec<_> = access.servers.iter().map(ToString::to_string).collect();
                judge(Side::Source, &servers.join(","), trouble)
            }
            Failure::Fault(fault) => fault,
        }
    }

    /// Whether the server ended a statement that took too long.
    pub(super) fn is_timeout(&self) -> bool {
        let refused = match self {
            Failure::Trouble(trouble) => trouble.refused(),
            Failure::Fault(_) => None,
        };
        refused.is_some_and(|refused| refused.sqlstate == "57014")
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Failure::Trouble(trouble)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}
