//! The HTTP interface of an instance: what there is to see, to ask and to decide, and who may.
//!
//! ```text
//!   serve                listens, takes connections, ends them          (connection: one of them)
//!   ├─ tls               certificates from files, read anew when they change      (validity: pure)
//!   └─ router            every route and what stands in front of it
//!      ├─ observe        each request: log, panics, time, headers
//!      ├─ guard          who may: tokens, rates, strange sites         (tokens, rate, site: pure)
//!      ├─ body, bare           what a request may bring along
//!      └─ routes         one file a route
//!   query, text          what a request says                                             (pure)
//!   views, shown         what an answer says, and how it is made of what the engine says (pure)
//!   metrics              the page that is scraped; families: what each is for             (pure)
//!   watched              the few pages of a process that is only watched
//!   problem              what an answer says when there is none
//! ```
//!
//! Invariants: nothing is answered but by a route of the document at `/openapi.json`; no answer and
//! no log carries a secret; whatever a client sends, it gets an answer of its class, never a panic.
//!
//! Must not know: the configuration file, connectors, where anything is stored.

mod answer;
mod app;
mod bare;
mod body;
mod clock;
mod connection;
mod guard;
mod metrics;
mod observe;
mod problem;
mod query;
mod ready;
mod router;
mod routes;
mod serve;
mod settings;
mod shown;
mod text;
mod tls;
mod views;
mod watched;

pub use guard::rate::Rate;
pub use guard::tokens::{Role, Token};
pub use metrics::families::{FAMILIES, Family};
pub use metrics::page::{Page, Sample};
pub use ready::Ready;
pub use router::document;
pub use serve::{Listener, serve};
pub use settings::{Bounds, Settings};
pub use text::civil::write_instant;
pub use text::json;
pub use tls::{Certificates, TlsFiles, WARN_DAYS};
pub use watched::{Watched, serve_watched};
