//! The bytes of a connection, encrypted or not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::client::TlsStream;

/// One connection.
#[derive(Debug)]
pub(in crate::postgres) enum Stream {
    /// A socket of this machine.
    Socket(UnixStream),
    /// In the clear.
    Plain(TcpStream),
    /// Encrypted.
    Tls {
        /// The connection.
        stream: Box<TlsStream<TcpStream>>,
        /// What the server's certificate gives to bind a login to it.
        binding: Option<Vec<u8>>,
    },
}

impl Stream {
    /// What the server's certificate gives to bind a login to this connection.
    pub(in crate::postgres) fn binding(&self) -> Option<&[u8]> {
        match self {
            Stream::Tls { binding, .. } => binding.as_deref(),
            Stream::Plain(_) | Stream::Socket(_) => None,
        }
    }

    /// Whether strangers on the way cannot read it.
    pub(in crate::postgres) fn is_encrypted(&self) -> bool {
        matches!(self, Stream::Tls { .. })
    }
}

/// Calls the same of whichever stream it is.
macro_rules! each {
    ($this:expr, $method:ident($($argument:expr),*)) => {
        match $this.get_mut() {
            Stream::Socket(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Plain(stream) => Pin::new(stream).$method($($argument),*),
            Stream::Tls { stream, .. } => Pin::new(&mut **stream).$method($($argument),*),
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, poll_write(context, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, poll_shutdown(context))
    }
}
