//! Instance: who does the work, for leases and for jitter.

use model::Tenure;
use std::time::Duration;

/// One running Instep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name, the same after a restart.
    pub name: String,
    /// Rises with every start; also seeds the jitter of retries.
    pub run: u64,
}

impl Instance {
    /// What a connection of this run asks a target for: to lead it, by a later connection even
    /// against an earlier one.
    pub(crate) fn tenure(&self, connection: u64, lasting: Duration) -> Tenure {
        Tenure { instance: self.name.clone(), run: self.run, connection, lasting }
    }
}
