//! The servers of an address: what their names lead to, and whether anything answers there.

use connectors::postgres::Access;
use connectors::postgres::access::Server;
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// How long a server may take to answer; less than a layer may take.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// What came of one server.
#[derive(Debug)]
pub(super) struct Tried<T> {
    pub(super) server: Server,
    pub(super) outcome: io::Result<T>,
}

/// What the name of each server leads to.
pub(super) async fn names(access: &Access) -> Vec<Tried<String>> {
    each(access, |server| async move {
        match &server {
            Server::Socket { .. } => Ok(server.to_string()),
            Server::Tcp { name, port } => {
                let found = lookup_host((name.as_str(), *port)).await?;
                let mut found: Vec<_> = found.map(|it| it.ip().to_string()).collect();
                found.dedup();
                Ok(found.join(", "))
            }
        }
    })
    .await
}

/// Whether each server answers, and how soon.
pub(super) async fn answers(access: &Access) -> Vec<Tried<Duration>> {
    each(access, |server| async move {
        let began = Instant::now();
        match &server {
            Server::Socket { .. } => drop(UnixStream::connect(server.to_string()).await?),
            Server::Tcp { name, port } => {
                drop(TcpStream::connect((name.as_str(), *port)).await?);
            }
        }
        Ok(began.elapsed())
    })
    .await
}

/// Tries all servers at the same time; the outcomes are in the order of the address.
async fn each<T, F>(access: &Access, look: impl Fn(Server) -> F) -> Vec<Tried<T>>
where
    T: Send + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut looks = JoinSet::new();
    for (place, server) in access.servers.iter().enumerate() {
        let look = look(server.clone());
        looks.spawn(async move {
            let outcome = timeout(ANSWER_MAX, look).await;
            (place, outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
        });
    }
    let mut done: Vec<_> = looks.join_all().await;
    done.sort_by_key(|(place, _)| *place);
    let servers = access.servers.iter().cloned();
    let tried = servers.zip(done).map(|(server, (_, outcome))| Tried { server, outcome });
    tried.collect()
}
