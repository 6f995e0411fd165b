//! The address of the API, and its certificate.

use super::check::{Check, Layer};
use super::examine::Examine;
use super::processes::{self, Lock};
use crate::client::Client;
use crate::config::Config;
use crate::problem::Problem;
use crate::report::Report;
use async_trait::async_trait;
use model::Code;
use serde_json::Value;
use server::{Certificates, TlsFiles, WARN_DAYS};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use tokio::net::TcpListener;

/// The address of the API.
pub(super) struct Listen {
    pub(super) config: Arc<Config>,
    /// Whether an Instep works in the data directory.
    pub(super) lock: Lock,
}

#[async_trait]
impl Examine for Listen {
    fn about(&self) -> (String, String) {
        ("listen".to_owned(), format!("{}  (where the API answers)", self.config.listen))
    }

    fn layers(&self) -> &'static [Layer] {
        &[Layer::Tls, Layer::Connect, Layer::Capability]
    }

    async fn look(&mut self, layer: Layer) -> Vec<Check> {
        match layer {
            Layer::Tls => self.certificate().await.into_iter().collect(),
            Layer::Capability => self.problems().await,
            _ => vec![self.address().await],
        }
    }
}

impl Listen {
    async fn address(&self) -> Check {
        let layer = Layer::Connect;
        let listen = self.config.listen;
        if listen.port() == 0 {
            return Check::good(layer, "port 0", "any free port is taken when Instep starts");
        }
        if matches!(self.lock, Lock::Held(_)) {
            return self.ask().await;
        }
        let bound = TcpListener::bind(listen).await.map(drop);
        judge(&listen.to_string(), bound, || processes::listener(listen))
    }

    async fn status(&self) -> Result<Value, Report> {
        Client::new(Some(&self.config), None)?.get("/v1/status").await
    }

    /// What the Instep that runs knows to be wrong.
    async fn problems(&self) -> Vec<Check> {
        let is_known = self.config.listen.port() != 0 && matches!(self.lock, Lock::Held(_));
        let status = if is_known { self.status().await.ok() } else { None };
        let Some(status) = status else { return Vec::new() };
        let problems: Vec<_> =
            status["problems"].as_array().into_iter().flatten().map(told).collect();
        match problems.is_empty() {
            true => vec![Check::good(Layer::Capability, ASK_WRONG, "it knows of nothing")],
            false => problems,
        }
    }

    /// Asks the Instep that runs.
    async fn ask(&self) -> Check {
        let tried = "ask the Instep that runs";
        match self.status().await {
            Ok(_) => Check::good(Layer::Connect, tried, "it answers"),
            Err(report) => {
                let problem = report.problems.into_iter().next();
                let unknown = || Problem::of(Code::ApiUnreachable, "it does not answer");
                let check = Check::problem(Layer::Connect, tried, problem.unwrap_or_else(unknown));
                check.because("an Instep works in data_dir, perhaps with another configuration")
            }
        }
    }

    async fn certificate(&self) -> Option<Check> {
        let tls = self.config.tls.as_ref()?;
        let tried = format!("read {} and {}", tls.cert.display(), tls.key.display());
        let files = TlsFiles { cert: tls.cert.clone(), key: tls.key.clone() };
        Some(match Certificates::load(files).await {
            Ok(certificates) => judge_days(tried, certificates.days()),
            Err(fault) => Check::fault(Layer::Tls, tried, fault),
        })
    }
}

const ASK_WRONG: &str = "ask the Instep that runs what is wrong";

/// A problem as the API tells it.
fn told(problem: &Value) -> Check {
    let text = |field: &str| problem[field].as_str().unwrap_or_default().to_owned();
    let code = Code::all().find(|code| code.name() == problem["code"]);
    let code = code.unwrap_or(Code::Broken);
    let problem = Problem::new(code, text("what"), text("why"), text("fix"));
    Check::problem(Layer::Capability, ASK_WRONG, problem)
}

/// What came of listening for a moment.
fn judge(at: &str, bound: io::Result<()>, who: impl Fn() -> Option<u32>) -> Check {
    let tried = format!("listen on {at} for a moment");
    match bound {
        Ok(()) => Check::good(Layer::Connect, tried, "nobody else does"),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let holder = processes::named(who());
            let what = format!("{holder} listens on {at} already");
            let check = Check::bad(Layer::Connect, tried, Code::ListenInUse, what);
            check.because(format!("{error}; no Instep works in data_dir"))
        }
        Err(error) => {
            let what = format!("{at} can not be listened on: {error}");
            Check::bad(Layer::Connect, tried, Code::ListenFailed, what)
        }
    }
}

fn judge_days(tried: String, days: i64) -> Check {
    if days < WARN_DAYS {
        let what = format!("the certificate ends in {days} days");
        return Check::bad(Layer::Tls, tried, Code::CertificateEnds, what);
    }
    let found = format!("the key belongs to the certificate, which is valid for {days} days");
    Check::good(Layer::Tls, tried, found)
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn a_certificate_that_ends_soon_is_warned_of() {
        assert_eq!(judge_days(String::new(), WARN_DAYS).state, State::Good);
        assert_eq!(judge_days(String::new(), WARN_DAYS - 1).state, State::Warning);
    }

    #[test]
    fn who_has_the_port_is_named_where_the_system_names_it() {
        let in_use = || Err(ErrorKind::AddrInUse.into());
        let named = judge("[::1]:1", in_use(), || Some(u32::MAX));
        assert_eq!(named.found, "process 4294967295 listens on [::1]:1 already");
        let unnamed = judge("[::1]:1", in_use(), || None);
        assert!(unnamed.found.starts_with("a process that"), "{}", unnamed.found);
        let other = judge("[::1]:1", Err(ErrorKind::AddrNotAvailable.into()), || None);
        assert_eq!(other.problem.unwrap().code, Code::ListenFailed);
        assert_eq!(judge("[::1]:1", Ok(()), || None).state, State::Good);
    }
}
