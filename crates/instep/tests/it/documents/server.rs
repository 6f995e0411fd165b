//! A PostgreSQL for the pages that speak of one.

use testkit::postgres::{Server, Settings, start};

/// What pages call the address of their server.
pub(super) const SHOWN: &str = "127.0.0.1:5432";

/// A server for a page that needs one; nothing if it can not be had, so that the page is not run.
pub(super) fn of(texts: &[&str]) -> Result<Option<Server>, NoServer> {
    if !texts.iter().any(|text| text.contains(SHOWN)) {
        return Ok(None);
    }
    // The role of the pages has to know its password, as at home.
    let access = vec!["host all instep 127.0.0.1/32 scram-sha-256".to_owned()];
    start(&Settings { access, ..Settings::default() }).map(Some).ok_or(NoServer)
}

/// There is no PostgreSQL on this machine.
pub(super) struct NoServer;
