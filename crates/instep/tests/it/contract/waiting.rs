//! Waits on conditions, for tests that are not asynchronous themselves.

use crate::rig;
use tokio::runtime::Builder;

/// Waits until there is something, and brings it.
pub(crate) fn until_some<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let found = runtime.block_on(rig::until_some(what, look));
    found.unwrap_or_else(|| panic!("waited in vain until {what}"))
}

/// Waits until a condition holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    until_some(what, || holds().then_some(()));
}
