//! A connection of a target, under the same settings whatever the database and the role say.

use super::trouble::of_server;
use crate::postgres::access::Access;
use crate::postgres::session::Session;
use model::Fault;

/// What is noted beside the rows is written in transactions of its own as well; those of a batch set
/// the rest. Arrays have NULLs, and XML is what its column takes.
const SETTINGS: &str = "set default_transaction_read_only = off;
    set default_transaction_isolation = 'read committed'; set default_transaction_deferrable = off;
    set lock_timeout = '30s'; set statement_timeout = '55s';
    set array_nulls = on; set xmloption = content";

/// Connects.
pub(super) async fn connect(access: &Access) -> Result<Session, Fault> {
    let judge = |trouble| of_server(access, trouble);
    let session = Session::connect(access).await.map_err(judge)?;
    session.query(SETTINGS).await.map_err(judge)?;
    Ok(session)
}
