//! The initial copy's reading: a million rows in stretches, as a pass asks for them, against one
//! binary COPY to nowhere.

use crate::now;
use crate::server::Place;
use connectors::postgres::{Access, PostgresRows};
use model::{Selection, Service};
use std::time::Duration;

/// Rows that a pass asks for at once.
const STRETCH: usize = 20_000;

/// How long the whole table takes by COPY, and by stretches.
pub(crate) fn both(place: &Place, rows: usize) -> (Duration, Duration) {
    let began = now();
    place.copy_binary();
    let theirs = began.elapsed();
    let access = Access::parse(&place.database()).expect("a URL");
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    let began = now();
    let read = runtime.block_on(read(access));
    let ours = began.elapsed();
    assert_eq!(read, rows, "every row is read");
    (theirs, ours)
}

async fn read(access: Access) -> usize {
    let mut inspect = PostgresRows::new(access).connect().await.expect("a connection");
    let table = inspect.table(&"public.item".into()).await.expect("an answer").expect("a table");
    let (mut after, mut read) = (None, 0);
    loop {
        let selection = Selection::Range { after, upto: None };
        let found = inspect.rows(&table, &selection, STRETCH).await.expect("rows").found;
        read += found.rows.len();
        match found.upto {
            Some(upto) => after = Some(upto),
            None => return read,
        }
    }
}
