//! Waits on conditions, with patience for a busy machine.

use std::time::Duration;
use tokio::time::{sleep, timeout};

/// How long something may take that has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The pause between two looks.
const GLANCE: Duration = Duration::from_millis(20);

/// Waits until a condition holds; whether it came to.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) -> bool {
    until_some(what, || holds().then_some(())).await.is_some()
}

/// Waits until there is something, and brings it.
pub(crate) async fn until_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            sleep(GLANCE).await;
        }
    };
    let found = timeout(PATIENCE, looking).await.ok();
    if found.is_none() {
        println!("waited in vain until: {what}");
    }
    found
}
