//! Statements that the server has parsed before: those of small transactions are few, and come again and
//! again.
//!
//! No other connection gives the same names. Where a pooler goes on with another server they are not
//! known there; that fails, and nothing is prepared any more.

use crate::pieces::list;
use crate::postgres::quote;
use crate::postgres::session::Session;
use crate::postgres::trouble::Trouble;
use std::collections::BTreeMap;

/// A statement that came so often will come again.
const OFTEN: u32 = 3;

/// One that the server did not take may be taken another time.
const SELDOM: u32 = 1_000;

/// So many may have names, and so many more are known to have come.
const NAMES_MAX: usize = 100;

/// What a connection has prepared.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// What every name begins with, once there is one.
    begin: String,
    names: BTreeMap<String, String>,
    /// How often a statement is still to come before it gets a name.
    to_come: BTreeMap<String, u32>,
    is_over: bool,
}

impl Prepared {
    /// What runs a statement by its name, if it has one; its parameters are texts to the server.
    pub(super) async fn by_name(
        &mut self,
        session: &Session,
        sql: &str,
        parameters: &[String],
    ) -> Result<Option<String>, Trouble> {
        if let Some(name) = self.names.get(sql) {
            return Ok(Some(execute(name, parameters)));
        }
        if self.is_over || self.names.len() >= NAMES_MAX || !self.comes_often(sql) {
            return Ok(None);
        }
        match self.prepare(session, sql, parameters.len()).await {
            Ok(name) => Ok(Some(execute(&name, parameters))),
            Err(Trouble::Refused(_)) => {
                self.to_come.insert(sql.to_owned(), SELDOM);
                Ok(None)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// The server does not know the names.
    pub(super) fn end(&mut self) {
        *self = Self { is_over: true, ..Self::default() };
    }

    fn comes_often(&mut self, sql: &str) -> bool {
        if self.to_come.len() >= NAMES_MAX {
            self.to_come.clear();
        }
        let to_come = self.to_come.entry(sql.to_owned()).or_insert(OFTEN);
        *to_come = to_come.saturating_sub(1);
        *to_come == 0
    }

    async fn prepare(
        &mut self,
        session: &Session,
        sql: &str,
        parameters: usize,
    ) -> Result<String, Trouble> {
        if self.begin.is_empty() {
            let rows = session.query("select gen_random_uuid()::text").await?;
            let random = rows.into_iter().flatten().flatten().next();
            self.begin = format!("instep {}", random.unwrap_or_default());
        }
        let name = quote::name(&format!("{} {}", self.begin, self.names.len()));
        let types = match parameters {
            0 => String::new(),
            _ => format!("({})", list((0..parameters).map(|_| "text"))),
        };
        session.query(&format!("prepare {name}{types} as {sql}")).await?;
        self.to_come.remove(sql);
        self.names.insert(sql.to_owned(), name.clone());
        Ok(name)
    }
}

fn execute(name: &str, parameters: &[String]) -> String {
    match parameters {
        [] => format!("execute {name};"),
        _ => format!("execute {name}({});", list(parameters.iter().map(|it| quote::text(it)))),
    }
}

/// Whether the server has something against a name, and not against what it stands for.
pub(super) fn is_unknown(trouble: &Trouble) -> bool {
    let state = trouble.refused().map(|refused| refused.sqlstate.as_str());
    matches!(state, Some("26000" | "0A000"))
}
