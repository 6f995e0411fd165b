//! The services of one file of addresses, from their start to their end.

use crate::addresses::{Addresses, Mode};
use crate::caller::Caller;
use crate::network::Network;
use crate::questions::{Others, QUESTIONS, Questions, TOTALS};
use crate::store::{Closed, HASTY, PATIENT, Store};
use crate::trouble::Trouble;
use crate::{quiz, reporting};
use axum::Router;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Services that run.
#[derive(Debug)]
pub struct Platform {
    /// Where the question service listens.
    pub questions: SocketAddr,
    /// Where the quiz service listens.
    pub quiz: SocketAddr,
    /// Where the reporting service listens.
    pub reporting: SocketAddr,
    network: Arc<Network>,
    serving: Vec<Serving>,
    closed: Vec<Closed>,
}

#[derive(Debug)]
struct Serving {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// How long what is under way may take to end.
const STOP: Duration = Duration::from_secs(5);

impl Platform {
    /// Starts all services. The network is the one between them.
    pub async fn start(addresses: &Addresses, network: Network) -> Result<Self, Trouble> {
        let mode = addresses.mode;
        let network = Arc::new(network);
        // All of them listen before any is told where another one does.
        let (listening, questions) = listen(addresses.questions.listen).await?;
        let (listening_quiz, quiz) = listen(addresses.quiz.listen).await?;
        let (listening_reporting, reporting) = listen(addresses.reporting.listen).await?;
        let mut files = Files { mode, closed: Vec::new() };
        let shards = addresses.questions.shards.iter();
        let shards: Result<_, _> = shards.map(|file| files.truth(file, QUESTIONS)).collect();
        let service = Questions {
            shards: shards?,
            totals: files.second(&addresses.questions.totals, TOTALS)?,
            others: (mode == Mode::Legacy).then(|| Others {
                quiz: Caller::new(quiz),
                reporting: Caller::new(reporting),
                network: network.clone(),
            }),
        };
        let copy = files.second(&addresses.quiz.store, quiz::COPY)?;
        let counters = files.second(&addresses.reporting.store, reporting::COUNTERS)?;
        let serving = vec![
            serve(listening, service.routes()),
            serve(listening_quiz, quiz::routes(mode, copy)),
            serve(listening_reporting, reporting::routes(mode, counters)),
        ];
        Ok(Self { questions, quiz, reporting, network, serving, closed: files.closed })
    }

    /// The network between the services.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Stops all services, and waits until their files are closed.
    pub async fn stop(self) {
        for Serving { stop, task } in self.serving {
            // A service that has ended by itself needs no word.
            let _ = stop.send(());
            let abort = task.abort_handle();
            if timeout(STOP, task).await.is_err() {
                abort.abort();
            }
        }
        for closed in self.closed {
            // Its thread may be gone already, which is what is waited for.
            let _ = timeout(STOP, closed).await;
        }
    }
}

/// The stores, and how to know that they are closed.
struct Files {
    mode: Mode,
    closed: Vec<Closed>,
}

impl Files {
    /// A file that is written first.
    fn truth(&mut self, file: &Path, tables: &str) -> Result<Store, Trouble> {
        let (store, closed) = Store::open(file, tables, PATIENT)?;
        self.closed.push(closed);
        Ok(store)
    }

    /// A file that follows; where somebody else writes it, he makes the tables, too.
    fn second(&mut self, file: &Path, tables: &str) -> Result<Store, Trouble> {
        let tables = if self.mode == Mode::Legacy { tables } else { "" };
        let (store, closed) = Store::open(file, tables, HASTY)?;
        self.closed.push(closed);
        Ok(store)
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Trouble> {
    let told = |error: std::io::Error| Trouble::Addresses(format!("{address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(told)?;
    let at = listener.local_addr().map_err(told)?;
    Ok((listener, at))
}

fn serve(listener: TcpListener, routes: Router) -> Serving {
    let (stop, stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let stopped = async move {
            // Whoever lets go of the platform stops it.
            let _ = stopped.await;
        };
        let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped);
        // It never ends with an error.
        let _ = serving.await;
    });
    Serving { stop, task }
}
