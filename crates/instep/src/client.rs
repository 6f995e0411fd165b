//! A client of the API of a running Instep: one request, one answer.

mod address;

use crate::config::{Config, Role};
use crate::problem::Problem;
use crate::report::{Exit, Report};
use address::Address;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use model::Code;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How to reach a running Instep.
#[derive(Debug)]
pub(crate) struct Client {
    address: Address,
    token: Option<String>,
    tls: Option<Arc<ClientConfig>>,
}

/// How long an answer may take beyond what was asked to be waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 << 20;

impl Client {
    /// The instance of this configuration, or the one at a URL. The first operator's token of the
    /// configuration is shown, else a viewer's; its certificate is trusted.
    pub(crate) fn new(config: Option<&Config>, url: Option<&str>) -> Result<Self, Report> {
        let address = match (url, config) {
            (Some(url), _) => Address::read(url).map_err(|what| {
                Report::usage(what, "write it like http://127.0.0.1:7171, without a path")
            })?,
            (None, Some(config)) => Address::of(config),
            (None, None) => {
                return Err(Report::usage("no instance is named", "name it with --url"));
            }
        };
        let tokens = config.map_or(&[][..], |config| &config.tokens);
        let token = tokens.iter().max_by_key(|token| token.role == Role::Operator);
        let token = token.map(|token| token.secret.reveal().to_owned());
        let tls = if address.is_encrypted { Some(trust(config)?) } else { None };
        Ok(Self { address, token, tls })
    }

    /// What stands under a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Report> {
        self.ask(Method::GET, path, Duration::ZERO).await
    }

    /// What stands under a path once the API has waited so long at most.
    pub(crate) async fn get_within(&self, path: &str, wait: Duration) -> Result<Value, Report> {
        self.ask(Method::GET, path, wait).await
    }

    /// Does what a path stands for.
    pub(crate) async fn post(&self, path: &str) -> Result<Value, Report> {
        self.ask(Method::POST, path, PATIENCE).await
    }

    async fn ask(&self, method: Method, path: &str, wait: Duration) -> Result<Value, Report> {
        match timeout(PATIENCE + wait, self.exchange(method, path)).await {
            Ok(Ok((status, answer))) if status.is_success() => Ok(answer),
            Ok(Ok((status, answer))) => Err(refused(status, &answer)),
            Ok(Err(why)) => Err(self.unreachable(&why)),
            Err(_) => Err(self.unreachable("it did not answer in time")),
        }
    }

    async fn exchange(&self, method: Method, path: &str) -> Result<(StatusCode, Value), String> {
        let stream = TcpStream::connect((self.address.name.as_str(), self.address.port)).await;
        let stream = stream.map_err(|error| error.to_string())?;
        match &self.tls {
            None => self.speak(stream, method, path).await,
            Some(tls) => {
                let name = ServerName::try_from(self.address.name.clone());
                let name = name.map_err(|error| error.to_string())?;
                let stream = TlsConnector::from(tls.clone()).connect(name, stream).await;
                let stream = stream.map_err(|error| format!("TLS: {error}"))?;
                self.speak(stream, method, path).await
            }
        }
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        method: Method,
        path: &str,
    ) -> Result<(StatusCode, Value), String> {
        let connected = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = connected.map_err(|error| error.to_string())?;
        let driving = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONNECTION, "close");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(Full::<Bytes>::default()).map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| error.to_string())?.to_bytes();
        driving.abort();
        let value = serde_json::from_slice(&body);
        value.map(|value| (status, value)).map_err(|_| "what answers there is no Instep".to_owned())
    }

    fn unreachable(&self, why: &str) -> Report {
        let what = format!("no Instep answers at {}: {why}", self.address.url());
        let problem = Problem::new(
            Code::ApiUnreachable,
            what.clone(),
            "the command asks a running Instep, and could not reach one there",
            "start it with `instep run`, or name another one with --url",
        );
        Report::failed(Exit::Unreachable, what, vec![problem])
    }
}

/// What the API answered instead.
fn refused(status: StatusCode, answer: &Value) -> Report {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let exit = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Exit::Denied,
        StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND => Exit::Usage,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Exit::TimedOut,
        StatusCode::CONFLICT => Exit::Refused,
        _ => Exit::Unexpected,
    };
    let name = text("code");
    let code = Code::all().find(|code| code.name() == name).unwrap_or(Code::Unexpected);
    let detail = match text("detail") {
        empty if empty.is_empty() => format!("it answered {status}"),
        detail => detail,
    };
    let problem = Problem::new(code, detail.clone(), text("title"), text("fix"));
    Report::failed(exit, detail, vec![problem])
}

/// Trusts the certificate of the configuration, and nobody else's.
fn trust(config: Option<&Config>) -> Result<Arc<ClientConfig>, Report> {
    let mut roots = RootCertStore::empty();
    if let Some(tls) = config.and_then(|config| config.tls.as_ref()) {
        let certificates = CertificateDer::pem_file_iter(&tls.cert);
        for certificate in certificates.into_iter().flatten().flatten() {
            // One that is no root is of no use here, and the next may be one.
            let _ = roots.add(certificate);
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| Report::usage(error.to_string(), "report this"))?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}
