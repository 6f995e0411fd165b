//! Asking a running Instep: the configuration says where it is, and the answer becomes a report.

use crate::cli::Globals;
use crate::client::Client;
use crate::commands::loaded::{loaded, loaded_if_any};
use crate::report::{Exit, Report};
use tokio::runtime::Builder;

/// Does what needs a client, with the instance of the configuration or the one at a URL.
pub(super) fn asking(
    globals: &Globals,
    url: Option<&str>,
    ask: impl AsyncFnOnce(Client) -> Result<Report, Report>,
) -> Report {
    let client = match url {
        None => loaded(globals).and_then(|loaded| Client::new(Some(&loaded.config), None)),
        // Whoever is named needs no configuration, but for its token and its certificate.
        Some(_) => loaded_if_any(globals)
            .and_then(|loaded| Client::new(loaded.as_ref().map(|loaded| &loaded.config), url)),
    };
    match client {
        Ok(client) => blocking(async { ask(client).await.unwrap_or_else(|report| report) }),
        Err(report) => report,
    }
}

/// Runs a future to its end on this thread.
pub(super) fn blocking(work: impl Future<Output = Report>) -> Report {
    match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => Report::ended(Exit::Unexpected, format!("no runtime can be had: {error}")),
    }
}
