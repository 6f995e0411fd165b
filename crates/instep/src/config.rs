//! The configuration: from a file to a [`Config`], or to everything that is wrong with it, each
//! thing with its line and column.
//!
//! ```text
//!   load                a file -> Loaded: the one way in
//!   yaml, node, span    text -> nodes with their places; only `yaml` knows the parser
//!   variables           ${NAME} inside single values
//!   keys, shape, forms  every key there is, and what its value may look like
//!   tables              what a table may be called, by the kind of its service
//!   secret, url         what is never shown, or not in full
//!   read, setting       nodes by their shapes -> settings, with defaults, and troubles
//!   build, flows        settings -> Config: what is named has to exist, and nothing goes in rings
//!   show, differ        settings -> YAML, JSON, and what differs between two of them
//!   schema              the keys -> a JSON Schema for editors
//! ```
//!
//! Must not know: commands, how trouble is printed.

mod build;
mod differ;
mod excerpt;
mod flows;
mod forms;
pub mod keys;
mod load;
mod node;
mod read;
pub mod schema;
mod secret;
mod setting;
pub mod shape;
mod show;
mod span;
mod surroundings;
mod tables;
mod trouble;
mod types;
mod url;
mod variables;
mod yaml;

pub use differ::{Difference, differ};
pub(crate) use forms::group_misfit;
pub use load::{Loaded, load, load_text};
pub use secret::{MASK, Secret};
pub use setting::{Entry, Setting, Value};
pub(crate) use show::yaml_text;
pub use show::{to_json, to_yaml};
pub use surroundings::Surroundings;
pub(crate) use tables::table_misfit;
pub use types::{
    Capture, Config, Copy, Count, Role, Service, ServiceKind, Source, TableAt, Tls, Token,
};
pub use url::Url;
