//! Cached totals: counted once, and from then on kept by adding and taking away.

use super::shard::Written;
use crate::count::{self, Numbers};
use crate::store::Store;
use crate::trouble::Trouble;

/// What the file of totals holds where the service keeps them itself.
pub(crate) const TOTALS: &str =
    "create table if not exists totals (topic text primary key not null, total integer not null)";

/// The totals. What is not cached yet is counted, and then cached.
pub(super) async fn cached(totals: &Store, shards: &[Store]) -> Result<Numbers, Trouble> {
    let found = totals.ask(|file| count::numbers(file, "select topic, total from totals")).await?;
    if !found.is_empty() {
        return Ok(found);
    }
    let mut counted = Numbers::new();
    for shard in shards {
        let recount = "select topic, count(*) from questions group by topic";
        for (topic, number) in shard.ask(move |file| count::numbers(file, recount)).await? {
            *counted.entry(topic).or_default() += number;
        }
    }
    let keep = counted.clone();
    let save = "insert or replace into totals values (?1, ?2)";
    totals
        .ask(move |file| keep.iter().try_for_each(|row| file.execute(save, row).map(drop)))
        .await?;
    Ok(counted)
}

/// Adds a change to the totals. It is a cache: where it can not be written, nobody minds.
pub(super) async fn add(totals: &Store, written: &Written) {
    for (topic, by) in written.numbers() {
        let _ = one(totals, topic.to_owned(), by).await;
    }
}

/// Reads the total of a topic, and puts the new one in its place. Before anybody has asked there is
/// nothing to keep; a topic that was not there then begins at none.
async fn one(totals: &Store, topic: String, by: i64) -> Result<(), Trouble> {
    let about = topic.clone();
    let read = "select coalesce(max(total), 0), (select count(*) from totals)
                from totals where topic = ?1";
    let (total, cached): (i64, i64) = totals
        .ask(move |file| file.query_row(read, [about], |row| Ok((row.get(0)?, row.get(1)?))))
        .await?;
    if cached > 0 {
        let save = "insert or replace into totals values (?1, ?2)";
        totals.ask(move |file| file.execute(save, (topic, total + by))).await?;
    }
    Ok(())
}
