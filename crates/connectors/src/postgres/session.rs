//! Session: ordinary queries, and rows read in bulk.
//!
//! Values come as text, written under the same settings as in the stream of changes, so that one
//! conversion serves both.

mod bulk;
mod direct;
mod driver;
mod line;

use super::access::{Access, Binding, Server};
use super::fixed;
use super::link::dial;
use super::tries::{Standing, Tries, will_do};
use super::trouble::Trouble;
pub use bulk::CopyRows;
use bytes::Bytes;
use direct::Direct;
use driver::trouble;
use futures_util::SinkExt;
pub use line::Cells;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// How much a COPY is given at once.
const COPY_BYTES: usize = 64 << 10;

/// A connection for ordinary queries; closed when it is dropped.
#[derive(Debug)]
pub struct Session {
    client: Client,
    task: JoinHandle<()>,
}

impl Session {
    /// Connects to the first server that will do.
    pub async fn connect(access: &Access) -> Result<Self, Trouble> {
        let mut tries = Tries::of(access);
        while let Some((server, role)) = tries.next() {
            let tried = timeout(access.connect_timeout, Self::log_in(access, server)).await;
            match tried.unwrap_or_else(|_| Err(too_slow(access))) {
                Ok((session, standing)) if will_do(role, standing) => return Ok(session),
                Ok(_) => {}
                Err(trouble) => tries.failed(server, trouble),
            }
        }
        Err(tries.into_trouble())
    }

    async fn log_in(access: &Access, server: &Server) -> Result<(Self, Standing), Trouble> {
        let stream = dial(access, server).await?;
        let mut config = config(access);
        // The connection is encrypted already, or is not to be.
        let (client, task, standing) = if stream.is_encrypted() {
            config.ssl_mode(SslMode::Require).ssl_negotiation(SslNegotiation::Direct);
            let (client, connection) = config.connect_raw(stream, Direct).await.map_err(trouble)?;
            let standing = Standing::read(|name| connection.parameter(name));
            (client, tokio::spawn(async { drop(connection.await) }), standing)
        } else {
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(trouble)?;
            let standing = Standing::read(|name| connection.parameter(name));
            (client, tokio::spawn(async { drop(connection.await) }), standing)
        };
        let session = Self { client, task };
        session.client.batch_execute(&fixed::statements()).await.map_err(trouble)?;
        Ok((session, standing))
    }

    /// Runs statements one by one, and gives the rows of all of them.
    pub async fn query(&self, statements: &str) -> Result<Vec<Cells>, Trouble> {
        let answers = self.client.simple_query(statements).await.map_err(trouble)?;
        let rows = answers.into_iter().filter_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            }
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs statements one by one; how many rows each of them wrote or gave.
    pub async fn run(&self, statements: &str) -> Result<Vec<u64>, Trouble> {
        let answers = self.client.simple_query(statements).await.map_err(trouble)?;
        let rows = answers.into_iter().filter_map(|answer| match answer {
            SimpleQueryMessage::CommandComplete(rows) => Some(rows),
            _ => None,
        });
        Ok(rows.collect())
    }

    /// Runs one statement with parameters. Each is a text to the server, so it says `$1::int8` for
    /// what is none, and `::text` behind each column.
    pub async fn ask(
        &self,
        statement: &str,
        parameters: &[Option<&str>],
    ) -> Result<Vec<Cells>, Trouble> {
        let typed = parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT));
        let typed: Vec<_> = typed.collect();
        let rows = self.client.query_typed(statement, &typed).await.map_err(trouble)?;
        let cells = rows.iter().map(|row| {
            let cells = (0..row.len()).map(|at| row.try_get(at).map_err(trouble));
            cells.collect::<Result<Cells, Trouble>>()
        });
        cells.collect()
    }

    /// Runs one statement with parameters that are texts to the server; how many rows it wrote.
    pub async fn write(&self, statement: &str, parameters: &[String]) -> Result<u64, Trouble> {
        let typed = parameters.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT));
        let typed: Vec<_> = typed.collect();
        self.client.execute_typed(statement, &typed).await.map_err(trouble)
    }

    /// Runs a COPY that takes these lines; how many rows it wrote.
    pub async fn copy_in(&self, statement: &str, lines: String) -> Result<u64, Trouble> {
        let taking = self.client.copy_in::<_, Bytes>(statement).await.map_err(trouble)?;
        let mut taking = Box::pin(taking);
        let mut lines = Bytes::from(lines);
        while !lines.is_empty() {
            let some = lines.split_to(lines.len().min(COPY_BYTES));
            taking.send(some).await.map_err(trouble)?;
        }
        taking.as_mut().finish().await.map_err(trouble)
    }

    /// The rows of a query, in bulk.
    pub async fn copy_out(&mut self, query: &str) -> Result<CopyRows<'_>, Trouble> {
        let statement = format!("copy ({query}) to stdout");
        let stream = self.client.copy_out(&statement).await.map_err(trouble)?;
        Ok(CopyRows::new(stream))
    }

    /// Whether the connection is gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn config(access: &Access) -> Config {
    let mut config = Config::new();
    config.user(&access.user).dbname(&access.database).application_name(&access.application_name);
    config.channel_binding(match access.binding {
        Binding::Disable => ChannelBinding::Disable,
        Binding::Prefer => ChannelBinding::Prefer,
        Binding::Require => ChannelBinding::Require,
    });
    if let Some(password) = &access.password {
        config.password(password.as_bytes());
    }
    if let Some(options) = &access.options {
        config.options(options);
    }
    config
}

fn too_slow(access: &Access) -> Trouble {
    let seconds = access.connect_timeout.as_secs();
    Trouble::Silent(format!("no connection within {seconds} s (connect_timeout)"))
}
