//! Serve: listens, takes connections up to their bound, and ends them when a stop is asked for.

use crate::app::App;
use crate::connection::{NO_ROOM_PAUSE, attend, turn_away};
use crate::router::router;
use crate::settings::Settings;
use crate::tls::Certificates;
use axum::Router;
use engine::Works;
use model::{Code, Fault};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// An address that is listened on; connections wait until they are served.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on an address and a port, such as `127.0.0.1:7171`; port 0 is any that is free.
    pub async fn bind(listen: &str) -> Result<Self, Fault> {
        let failed = |error: io::Error| {
            let code = match error.kind() {
                io::ErrorKind::AddrInUse => Code::ListenInUse,
                _ => Code::ListenFailed,
            };
            Fault::stop(code, format!("cannot listen on {listen}: {error}")).because(error)
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// The address that it listens on, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> io::Result<TcpStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Answers requests about these works until `stop` is over and the requests at hand are done, or
/// the time for that is up.
pub async fn serve(
    listener: Listener,
    settings: Settings,
    works: Arc<Works>,
    stop: impl Future<Output = ()>,
) {
    let tls = settings.tls.clone();
    let app = Arc::new(App::new(settings, works, listener.address));
    let serving = Serving { router: router(app.clone()), app: app.clone(), tls: tls.clone() };
    let mut connections = JoinSet::new();
    tokio::select! {
        () = serving.accept(&listener.listener, &mut connections) => {}
        () = keep_fresh(tls.as_ref(), &app) => {}
        () = stop => {}
    }
    drop(listener);
    app.stop.ask();
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if timeout(app.bounds.drain, all_ended).await.is_err() {
        connections.shutdown().await;
    }
}

struct Serving {
    app: Arc<App>,
    router: Router,
    tls: Option<Certificates>,
}

impl Serving {
    async fn accept(&self, listener: &TcpListener, connections: &mut JoinSet<()>) {
        loop {
            let accepted = listener.accept().await;
            while connections.try_join_next().is_some() {}
            match accepted {
                Ok(connection) => self.take(connection, connections),
                Err(error) => {
                    tracing::warn!(%error, "no connection could be taken");
                    sleep(NO_ROOM_PAUSE).await;
                }
            }
        }
    }

    fn take(&self, (stream, peer): (TcpStream, SocketAddr), connections: &mut JoinSet<()>) {
        if connections.len() < self.app.bounds.connections_max {
            let tls = self.tls.as_ref().map(Certificates::config);
            connections.spawn(attend(self.app.clone(), self.router.clone(), tls, (stream, peer)));
            return;
        }
        tracing::debug!(%peer, "a connection was turned away");
        if self.tls.is_none() {
            turn_away(&stream);
        }
    }
}

/// Never ends by itself.
async fn keep_fresh(tls: Option<&Certificates>, app: &App) {
    match tls {
        Some(tls) => tls.keep_fresh(app.bounds.certificate_look).await,
        None => std::future::pending().await,
    }
}
