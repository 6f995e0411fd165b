//! Service: a server that connections to a port come from.

use crate::fault::Fault;
use async_trait::async_trait;

/// Opens connections that speak one of the ports. A connection that failed is dropped with
/// whatever it had open, and a new one is asked for; nothing is mended in place.
#[async_trait]
pub trait Service<Port: ?Sized + Send>: Send + Sync {
    /// Opens a connection.
    async fn connect(&self) -> Result<Box<Port>, Fault>;
}
