//! Settings: who may ask, how it is encrypted, and every bound of the API with its default.

use crate::guard::rate::Rate;
use crate::guard::tokens::Token;
use crate::ready::Ready;
use crate::tls::Certificates;
use std::time::Duration;

/// What the API is told when it begins.
#[derive(Debug, Default)]
pub struct Settings {
    /// Who may ask. Nobody listed means that everybody may, and then only a loopback address is
    /// safe to listen on.
    pub tokens: Vec<Token>,
    /// With what connections are encrypted, if they are.
    pub tls: Option<Certificates>,
    /// Whether the works run.
    pub ready: Ready,
    /// The bounds.
    pub bounds: Bounds,
}

/// The bounds within which the API works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections that may be open at once; a further one is turned away.
    pub connections_max: usize,
    /// How long a handshake or the head of a request may take, and a connection may idle.
    pub head: Duration,
    /// How long a request may take, with its body and the waiting that it asks for.
    pub request: Duration,
    /// How long a connection may stay open; then it ends after the request at hand.
    pub connection: Duration,
    /// How long requests at hand may go on when the API is stopped.
    pub drain: Duration,
    /// The size of a request's body.
    pub body_bytes_max: usize,
    /// Requests of one token, or of one address where there are no tokens.
    pub requests: Rate,
    /// Attempts of one address with wrong tokens.
    pub refusals: Rate,
    /// Tokens and addresses that are told apart when requests are limited.
    pub callers_max: usize,
    /// How often certificate files are looked at for a change.
    pub certificate_look: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: 1_000,
            head: Duration::from_secs(10),
            request: Duration::from_secs(40),
            connection: Duration::from_secs(3_600),
            drain: Duration::from_secs(5),
            body_bytes_max: 64 << 10,
            requests: Rate { burst: 2_000, each: Duration::from_millis(1) },
            refusals: Rate { burst: 20, each: Duration::from_secs(1) },
            callers_max: 10_000,
            certificate_look: Duration::from_secs(10),
        }
    }
}
