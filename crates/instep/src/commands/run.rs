//! `instep run`: follows, applies, counts and answers until it is told to stop.

mod notices;

use crate::cli::{Globals, RunArguments};
use crate::commands::failing::failed;
use crate::commands::loaded::loaded;
use crate::commands::signals::Signals;
use crate::config::{Config, Role};
use crate::registry::{self, Opened};
use crate::report::{Exit, Report};
use crate::telemetry;
use engine::Stop;
use model::Fault;
use serde_json::json;
use server::{Certificates, Listener, Ready, Settings, TlsFiles, Token, serve};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::Builder;

/// Threads that wait for the disk of the journal.
const BLOCKING_MAX: usize = 4;

/// Runs until a signal asks for the end.
pub fn run(globals: &Globals, arguments: &RunArguments) -> Report {
    let loaded = match loaded(globals) {
        Ok(loaded) => loaded,
        Err(report) => return report,
    };
    telemetry::begin(arguments.log_format, &arguments.log_level);
    for warning in &loaded.warnings {
        tracing::warn!(code = %warning.code, "{}", warning.what);
    }
    // Each thread that allocates keeps memory of its own, so there are no more than can be of use.
    let runtime =
        Builder::new_multi_thread().max_blocking_threads(BLOCKING_MAX).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            return Report::ended(Exit::Unexpected, format!("no runtime can be had: {error}"));
        }
    };
    let ended = runtime.block_on(work(&loaded.config, globals.json));
    // What still blocks is dropped, and found again at the next start.
    runtime.shutdown_background();
    ended.unwrap_or_else(failed)
}

async fn work(config: &Config, json: bool) -> Result<Report, Fault> {
    let signals = Signals::listen();
    // The data directory first: whoever has it has the right to its address, too.
    let opened = registry::open(config, micros).await?;
    let Opened { works, warnings } = opened;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let ready = Ready::default();
    let settings = Settings {
        tokens: tokens(config),
        tls: certificates(config).await?,
        ready: ready.clone(),
        bounds: server::Bounds::default(),
    };
    let listener = Listener::bind(&config.listen.to_string()).await?;
    let at = listener.address();
    let (works, stop) = (Arc::new(works), Stop::new());
    let serving = {
        let (works, stop) = (works.clone(), stop.clone());
        tokio::spawn(async move { serve(listener, settings, works, stop.wait()).await })
    };
    let working = {
        let (works, stop) = (works.clone(), stop.clone());
        tokio::spawn(async move { works.run(&stop).await })
    };
    let telling = tokio::spawn(notices::write(works.clone(), stop.clone()));
    ready.set(true);
    announce(at, config.tls.is_some(), json);
    signals.wait(&stop).await;
    ready.set(false);
    tracing::info!("stopping");
    // A task that panicked was reported on the board; here only the end matters.
    let _ = tokio::join!(working, serving, telling);
    Ok(Report::silent())
}

fn tokens(config: &Config) -> Vec<Token> {
    let role = |role| match role {
        Role::Viewer => server::Role::Viewer,
        Role::Operator => server::Role::Operator,
    };
    let tokens = config.tokens.iter();
    tokens.map(|it| Token::new(&it.name, role(it.role), it.secret.reveal())).collect()
}

async fn certificates(config: &Config) -> Result<Option<Certificates>, Fault> {
    let Some(tls) = &config.tls else { return Ok(None) };
    let files = TlsFiles { cert: tls.cert.clone(), key: tls.key.clone() };
    Certificates::load(files).await.map(Some)
}

/// The line that whoever started it waits for.
fn announce(at: SocketAddr, is_encrypted: bool, json: bool) {
    let url = format!("{}://{at}", if is_encrypted { "https" } else { "http" });
    let line = match json {
        true => json!({ "event": "ready", "listen": url, "pid": std::process::id() }).to_string(),
        false => format!("ready {url}"),
    };
    // Nobody reads it where standard output is closed.
    let _ = writeln!(io::stdout(), "{line}").and_then(|()| io::stdout().flush());
}

/// Microseconds since 1970, for what is shown to people.
#[expect(clippy::disallowed_methods, reason = "only shown; nothing decides by it")]
fn micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
