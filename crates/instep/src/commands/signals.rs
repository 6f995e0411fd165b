//! The signals that end what runs: the first asks for a clean stop, the second ends it at once.

use engine::Stop;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT.
pub(super) struct Signals {
    terminate: Option<Signal>,
    interrupt: Option<Signal>,
}

impl Signals {
    /// From now on they are noticed here.
    pub(super) fn listen() -> Self {
        let listen = |kind| signal(kind).ok();
        Self {
            terminate: listen(SignalKind::terminate()),
            interrupt: listen(SignalKind::interrupt()),
        }
    }

    /// Waits for the first one, and asks everything to stop. A second one then ends the process.
    pub(super) async fn wait(mut self, stop: &Stop) {
        self.next().await;
        stop.ask();
        tokio::spawn(async move {
            let code = self.next().await;
            std::process::exit(code);
        });
    }

    /// The next one, as the code that a process ended by it has.
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            () = next_of(&mut self.terminate) => 143,
            () = next_of(&mut self.interrupt) => 130,
        }
    }
}

/// Waits for ever where the signal can not be noticed, or comes no more.
async fn next_of(signal: &mut Option<Signal>) {
    let came = match signal {
        Some(signal) => signal.recv().await,
        None => None,
    };
    if came.is_none() {
        std::future::pending::<()>().await;
    }
}
