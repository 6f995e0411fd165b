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

/// So many may have names, and so many more are known to have come.
const NAMES_MAX: usize = 100;

/// What a connection has prepared.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// What every name begins with, once there is one.
    begin: String,
    names: BTreeMap<String, String>,
    came: BTreeMap<String, u32>,
    is_over: bool,
}

impl Prepared {
    /// The names of these statements, each with so many texts as parameters, if all have one.
    pub(super) async fn names<'a>(
        &mut self,
        session: &Session,
        statements: impl Iterator<Item = (&'a str, usize)> + Clone,
    ) -> Result<Option<Vec<String>>, Trouble> {
        if self.is_over {
            return Ok(None);
        }
        for (sql, parameters) in statements.clone() {
            if self.names.contains_key(sql) || !self.comes_often(sql) {
                continue;
            }
            match self.prepare(session, sql, parameters).await {
                Err(Trouble::Refused(_)) => self.end(),
                prepared => prepared?,
            }
        }
        let names = statements.map(|(sql, _)| self.names.get(sql).cloned());
        Ok(names.collect())
    }

    /// The server does not know the names, or has something against them.
    pub(super) fn end(&mut self) {
        *self = Self { is_over: true, ..Self::default() };
    }

    fn comes_often(&mut self, sql: &str) -> bool {
        if self.names.len() >= NAMES_MAX {
            return false;
        }
        if self.came.len() >= NAMES_MAX {
            self.came.clear();
        }
        let times = self.came.entry(sql.to_owned()).or_default();
        *times += 1;
        *times >= OFTEN
    }

    async fn prepare(
        &mut self,
        session: &Session,
        sql: &str,
        parameters: usize,
    ) -> Result<(), Trouble> {
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
        self.came.remove(sql);
        self.names.insert(sql.to_owned(), name);
        Ok(())
    }
}

/// Runs a statement by its name.
pub(super) fn execute(name: &str, parameters: &[String]) -> String {
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
