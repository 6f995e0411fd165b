//! The database that a configuration is proposed for.

use super::named::plain;
use crate::commands::failing::failed;
use crate::config::{ServiceKind, Url};
use crate::report::Report;
use connectors::postgres::{self, Access, Side, glance};
use connectors::sketch::{Sketch, SketchBounds};
use connectors::sqlite::glance::Glance;
use model::Code;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a lock of another program is waited for, and an answer of a server.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);

/// A database.
pub(super) enum Given {
    /// A SQLite file, by its path from the root.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Url, Box<Access>),
}

impl Given {
    /// What a person has typed.
    pub(super) fn read(typed: &str) -> Result<Self, Report> {
        let fix = "write --from sqlite:PATH or --from postgres://USER@SERVER/DATABASE";
        if typed.starts_with("postgres://") || typed.starts_with("postgresql://") {
            let access = Access::parse(typed).map_err(failed)?;
            return Ok(Given::Postgres(Url::new(typed), Box::new(access)));
        }
        let Some(path) = typed.strip_prefix("sqlite:").filter(|path| !path.is_empty()) else {
            // Whatever it is, it may hold a password.
            let scheme = typed.split(':').next().unwrap_or_default();
            let what = format!("{scheme:?} is the beginning of no database that can be read");
            return Err(Report::usage(what, fix));
        };
        let path = std::path::absolute(path);
        let path = path.map_err(|error| Report::usage(format!("{typed}: {error}"), fix))?;
        Ok(Given::Sqlite(path))
    }

    /// What kind of database it is.
    pub(super) fn kind(&self) -> ServiceKind {
        match self {
            Given::Sqlite(_) => ServiceKind::Sqlite,
            Given::Postgres(..) => ServiceKind::Postgres,
        }
    }

    /// Its name, as it can stand in a configuration.
    pub(super) fn stem(&self) -> String {
        match self {
            Given::Sqlite(path) => stem(path),
            Given::Postgres(_, access) => plain(&access.database, "database"),
        }
    }

    /// What was typed, without a password.
    pub(super) fn shown(&self, typed: &str) -> String {
        match self {
            Given::Sqlite(_) => typed.to_owned(),
            Given::Postgres(url, _) => url.shown(),
        }
    }

    /// Its tables as one sees them for the first time.
    pub(super) async fn sketch(&self, bounds: &SketchBounds) -> Result<Sketch, Report> {
        match self {
            Given::Sqlite(path) => Glance::new(path, LOCK_PATIENCE).sketch(bounds).map_err(failed),
            Given::Postgres(_, access) => {
                let at = access.to_string();
                // A pooler is asked nothing: what a session sets would stay behind in it.
                if let Err(trouble) = glance::stream(access).await {
                    let fault = glance::judge_stream(&at, trouble);
                    if fault.code == Code::PostgresPooler {
                        return Err(failed(fault));
                    }
                }
                let met = |trouble| failed(postgres::judge(Side::Source, &at, trouble));
                let glance = glance::Glance::connect(access, ANSWER_PATIENCE).await.map_err(met)?;
                glance.sketch(bounds).await.map_err(met)
            }
        }
    }
}

/// The name of a file, without what follows the dot.
fn stem(path: &Path) -> String {
    plain(&path.file_stem().unwrap_or_default().to_string_lossy(), "database")
}
