//! Whether a server lets us follow it, and who it says it is.

use crate::postgres::access::Access;
use crate::postgres::fault::{Side, judge};
use crate::postgres::replication::Replication;
use crate::postgres::session::Session;
use crate::postgres::source;
use crate::postgres::trouble::{Refused, Trouble};
use model::{Code, Fault, Identity};

/// A server that lets us follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Streaming {
    /// Who it is, with the database.
    pub identity: Identity,
    /// Whether others on the way cannot read the connection.
    pub is_encrypted: bool,
}

/// What an ordinary session asks, where no stream is to be had.
const ASK: &str = "select (select system_identifier from pg_control_system()),
    (select oid from pg_database where datname = current_database())";

/// Logs in for the stream of changes, and asks who answers.
pub async fn stream(access: &Access) -> Result<Streaming, Trouble> {
    let mut replication = Replication::connect(access).await?;
    let is_encrypted = replication.is_encrypted();
    let identified = replication.identify().await?;
    let ask =
        "select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()";
    let rows = replication.query(ask).await?;
    let oid = rows.first().and_then(|row| row.first()?.clone());
    let oid = oid.ok_or_else(|| Trouble::malformed("the database has no number"))?;
    let oid = oid.parse().map_err(|_| Trouble::malformed("the number of the database is none"))?;
    Ok(Streaming { identity: source::identity(identified.system, oid), is_encrypted })
}

/// Who answers now as the primary.
pub async fn identity(access: &Access) -> Result<Identity, Fault> {
    let streaming = stream(&access.clone().to_primary()).await;
    streaming.map(|it| it.identity).map_err(|trouble| judge_stream(&access.to_string(), trouble))
}

/// Who answers now as the primary, where it lets nobody follow its log.
pub async fn recorded_identity(access: &Access) -> Result<Identity, Fault> {
    let access = access.clone().to_primary();
    let asked = async { answered(&Session::connect(&access).await?).await };
    asked.await.map_err(|trouble| judge(Side::Source, &access.to_string(), trouble))
}

/// Who answers in an ordinary session.
pub(super) async fn answered(session: &Session) -> Result<Identity, Trouble> {
    let rows = session.query(ASK).await?;
    let cell = |at: usize| rows.first()?.get(at)?.as_deref();
    let read = || Some(source::identity(cell(0)?.parse().ok()?, cell(1)?.parse().ok()?));
    read().ok_or_else(|| Trouble::malformed("the server cannot say who it is"))
}

/// What trouble with the login for the stream means. `at` says which database it is.
pub fn judge_stream(at: &str, trouble: Trouble) -> Fault {
    let code = match trouble.refused() {
        Some(refused) if is_poolers(refused) => Code::PostgresPooler,
        // All connections of the kind that streams are taken, or there are to be none.
        Some(refused) if refused.sqlstate == "53300" => Code::PostgresSlot,
        _ => return judge(Side::Source, at, trouble),
    };
    Fault::stop(code, format!("{at}: {trouble}")).because(trouble)
}

/// Poolers refuse the parameter by which a client says that it wants the stream, or take it for
/// nothing and hand the first command to a connection that knows only SQL.
fn is_poolers(refused: &Refused) -> bool {
    let Refused { sqlstate, message, .. } = refused;
    let is_protocol = ["08P01", "0A000", "42601"].contains(&sqlstate.as_str());
    let says = |words: &[&str]| words.iter().all(|word| message.contains(word));
    is_protocol
        && (says(&["startup parameter"])
            || says(&["IDENTIFY_SYSTEM"])
            || says(&["replication", "connection"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(sqlstate: &str, message: &str) -> Code {
        let refused =
            Refused { sqlstate: sqlstate.into(), message: message.into(), ..Refused::default() };
        judge_stream("db", Trouble::Refused(Box::new(refused))).code
    }

    #[test]
    fn a_pooler_is_known_by_what_it_refuses() {
        for (sqlstate, message) in [
            ("08P01", "unsupported startup parameter: replication"),
            ("42601", "syntax error at or near \"IDENTIFY_SYSTEM\""),
            ("08P01", "extended query protocol not supported in a replication connection"),
            ("0A000", "replication connections are not supported"),
        ] {
            assert_eq!(code(sqlstate, message), Code::PostgresPooler, "{message}");
        }
    }

    #[test]
    fn a_server_that_refuses_is_no_pooler() {
        let role = "must be superuser or replication role to start walsender";
        assert_eq!(code("42501", role), Code::PostgresPrivilege);
        let full = "number of requested standby connections exceeds max_wal_senders (currently 0)";
        assert_eq!(code("53300", full), Code::PostgresSlot);
        let entry = "no pg_hba.conf entry for replication connection from host \"10.0.0.7\"";
        assert_eq!(code("28000", entry), Code::PostgresLogin);
        assert_eq!(code("42601", "syntax error at or near \"selec\""), Code::PostgresRefused);
    }
}
