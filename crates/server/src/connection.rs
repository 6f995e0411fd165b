//! One connection: its handshake, its requests one after the other, and its end.

use crate::app::{App, Peer};
use crate::problem::{MEDIA_TYPE, Problem};
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use model::Code;
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// The most that a request may have of headers, and the most that is read of its head.
const HEADERS_MAX: usize = 64;
const HEAD_BYTES_MAX: usize = 32 << 10;

/// Answers the requests of a connection until it ends.
pub(crate) async fn attend(
    app: Arc<App>,
    router: Router,
    tls: Option<Arc<ServerConfig>>,
    (stream, peer): (TcpStream, SocketAddr),
) {
    // Answers are written whole; there is nothing to gather.
    let _ = stream.set_nodelay(true);
    let Some(config) = tls else { return serve(&app, router, stream, peer).await };
    let handshake = timeout(app.bounds.head, TlsAcceptor::from(config).accept(stream));
    match app.stop.or(handshake).await {
        Some(Ok(Ok(stream))) => serve(&app, router, stream, peer).await,
        Some(Ok(Err(error))) => tracing::debug!(%peer, %error, "a handshake failed"),
        Some(Err(_)) => tracing::debug!(%peer, "a handshake took too long"),
        None => {}
    }
}

async fn serve<S>(app: &App, router: Router, stream: S, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer.ip()));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.bounds.head)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = end(app) => {
            connection.as_mut().graceful_shutdown();
            let rest = timeout(app.bounds.drain, connection).await;
            rest.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}

/// Waits until the connection has to end after the request at hand.
async fn end(app: &App) {
    tokio::select! {
        () = app.stop.wait() => {}
        () = sleep(app.bounds.connection) => {}
    }
}

/// Says to one that there is no room for that it should come again. It waits for nothing: who
/// brings too many connections must not hold up the others.
pub(crate) fn turn_away(stream: &TcpStream) {
    let detail = "as many connections are open as may be";
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, Code::TooManyConnections, detail);
    let body = problem.body();
    let kind = MEDIA_TYPE.to_str().unwrap_or_default().to_owned();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
         retry-after: 1\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.try_write(&[head.as_bytes(), &body].concat());
}

/// The pause after the operating system had no connection to give.
pub(crate) const NO_ROOM_PAUSE: Duration = Duration::from_millis(100);
