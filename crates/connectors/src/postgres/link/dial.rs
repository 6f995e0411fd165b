//! Opens a connection to one server.

use super::stream::Stream;
use super::tls;
use crate::postgres::access::{Access, Encryption, Server};
use crate::postgres::trouble::Trouble;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::time::Duration;
use tokio::net::{TcpStream, UnixStream, lookup_host};

/// When a connection on which nothing is sent is first asked whether it is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// How long between one such question and the next.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

/// How many such questions may stay unanswered.
const KEEPALIVE_RETRIES: u32 = 3;

/// Opens a connection, and encrypts it as the access says. Its caller bounds the time.
pub(in crate::postgres) async fn dial(access: &Access, server: &Server) -> Result<Stream, Trouble> {
    let (name, port) = match server {
        Server::Socket { folder, port } => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            return Ok(Stream::Socket(UnixStream::connect(path).await?));
        }
        Server::Tcp { name, port } => (name, *port),
    };
    let stream = connect(name, port).await?;
    match access.encryption_of(server) {
        Encryption::Disable => Ok(Stream::Plain(stream)),
        encryption => tls::encrypt(stream, name, encryption, &access.files).await,
    }
}

/// A name may stand for several addresses, some of which nobody listens on.
async fn connect(name: &str, port: u16) -> Result<TcpStream, Trouble> {
    let mut failed = None;
    for address in lookup_host((name, port)).await? {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                prepare(&stream)?;
                return Ok(stream);
            }
            Err(error) => failed = Some(error),
        }
    }
    let unknown = || io::Error::new(io::ErrorKind::NotFound, format!("`{name}` has no address"));
    Err(Trouble::Broken(failed.unwrap_or_else(unknown)))
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_IDLE)
        .with_interval(KEEPALIVE_INTERVAL)
        .with_retries(KEEPALIVE_RETRIES);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)
}
