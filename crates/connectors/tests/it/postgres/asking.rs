//! Rows asked for, in the ways of an owner who has patience.

use super::rig::{Database, PATIENCE};
use instep_connectors::postgres::PostgresRows;
use model::{Answer, Fault, Inspect, Key, Rows, Selection, Service, Table};
use std::sync::Arc;
use tokio::time::timeout;

pub(super) async fn open(database: &Database) -> Box<dyn Inspect> {
    PostgresRows::new(database.access.clone()).connect().await.unwrap()
}

pub(super) async fn table(rows: &mut Box<dyn Inspect>, name: &str) -> Arc<Table> {
    rows.table(&name.into()).await.unwrap().expect("there is such a table")
}

/// Every key, read in pages of this size.
pub(super) async fn paged(
    rows: &mut Box<dyn Inspect>,
    table: &Arc<Table>,
    rows_max: usize,
) -> Vec<Key> {
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let selection = Selection::Range { after: after.clone(), upto: None };
        let Rows { rows: found, upto } =
            read(rows, table, &selection, rows_max).await.unwrap().found;
        assert!(found.len() <= rows_max);
        keys.extend(found.into_iter().map(|(key, ..)| key));
        match upto {
            Some(upto) => after = Some(upto),
            None => return keys,
        }
    }
}

pub(super) async fn read(
    rows: &mut Box<dyn Inspect>,
    table: &Arc<Table>,
    selection: &Selection,
    rows_max: usize,
) -> Result<Answer<Rows>, Fault> {
    timeout(PATIENCE, rows.rows(table, selection, rows_max)).await.expect("an answer")
}
