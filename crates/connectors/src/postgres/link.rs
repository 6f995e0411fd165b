//! Link: a connection to one server, encrypted as it has to be, before anybody has logged in.
//!
//! Must not know: logins, queries.

mod certificate;
mod dial;
mod stream;
mod tls;
mod trust;

pub(super) use dial::dial;
pub(super) use stream::Stream;
