//! App: what every route and everything in front of them works with.

use crate::guard::rate::Allowances;
use crate::guard::tokens::Token;
use crate::ready::Ready;
use crate::settings::{Bounds, Settings};
use engine::{Stop, Works};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

/// What every route works with.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) works: Arc<Works>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) ready: Ready,
    pub(crate) bounds: Bounds,
    /// Asked for when the API is to end.
    pub(crate) stop: Stop,
    /// Where it listens.
    pub(crate) listens_on: SocketAddr,
    /// How much each caller may still ask.
    pub(crate) requests: Mutex<Allowances<Caller>>,
    /// How many wrong tokens each address may still try.
    pub(crate) refusals: Mutex<Allowances<IpAddr>>,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Caller {
    /// Whoever has this token.
    Token(Arc<str>),
    /// Whoever is at this address.
    Address(IpAddr),
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

impl App {
    pub(crate) fn new(settings: Settings, works: Arc<Works>, listens_on: SocketAddr) -> Self {
        let Settings { tokens, ready, bounds, tls: _ } = settings;
        Self {
            requests: Mutex::new(Allowances::new(bounds.requests, bounds.callers_max)),
            refusals: Mutex::new(Allowances::new(bounds.refusals, bounds.callers_max)),
            works,
            tokens,
            ready,
            bounds,
            stop: Stop::new(),
            listens_on,
        }
    }
}
