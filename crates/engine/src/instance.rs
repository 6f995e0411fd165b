//! Instance: who does the work, for leases and for jitter.

/// One running Instep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name, the same after a restart.
    pub name: String,
    /// Rises with every start; also seeds the jitter of retries.
    pub run: u64,
}
