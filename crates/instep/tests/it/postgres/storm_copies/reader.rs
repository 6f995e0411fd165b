//! Reads the copies again and again, each time in one snapshot: they hold whole transactions of
//! their source (P3), but for keys that are held and copies under a pass, which Instep names.

use super::world::World;
use connectors::postgres::{Session, Trouble};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// What is not as it is at the end of any transaction, a line each; not asked of a shard with a copy
/// under a pass. A held key may be any of its questions, or what they refer to.
const BROKEN: &str = "
    with whole as (select lane from instep.passes group by lane
            having count(*) = 2 and bool_and(shown = 'done')),
        held as (select lane, count(*) n from instep.holds group by lane),
        sound as (select lane from whole where lane not in (select lane from held))
    select 'a question without its topic: ' || q.id from question q
        where not exists (select from topic t where t.id = q.topic_id and t.shard = q.shard)
    union all
    select format('two stamps: %s and %s in %s', t, q, coalesce(t.shard, q.shard))
        from (select * from topic where id % 100000 = 0) t
        full join (select * from question where id % 100000 = 0) q using (id)
        where coalesce(t.shard, q.shard) in (select lane from sound)
            and t.stamp is distinct from q.stamp
    union all
    select format('topic %s has %s questions and says %s', t.id, count(q.id), t.n) from topic t
        left join question q on q.topic_id = t.id
        where t.shard in (select lane from sound)
        group by t.id having count(q.id) <> t.n
    union all
    select 'sound ' || lane from sound";

/// How often it could be read, and how often a shard was whole and nothing of it was held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reads {
    pub(super) all: u64,
    pub(super) sound: u64,
}

/// Reads until it is over.
pub(super) async fn read(world: Arc<World>) -> Reads {
    let mut reads = Reads::default();
    let mut session = None;
    while !world.is_over() {
        sleep(Duration::from_millis(50)).await;
        let Some(connected) = &session else {
            session = world.in_copies().await;
            continue;
        };
        match look(connected).await {
            Ok(Some(sound)) => {
                reads.all += 1;
                reads.sound += sound;
            }
            Ok(None) => {}
            Err(_) => session = None,
        }
    }
    reads
}

/// Looks once; how many shards could be asked for everything.
async fn look(session: &Session) -> Result<Option<u64>, Trouble> {
    // Before anything was copied there is nothing to see.
    let is_there = "select to_regclass('instep.columns') is not null";
    if session.query(is_there).await?[0][0].as_deref() != Some("t") {
        return Ok(None);
    }
    let rows = session.query(BROKEN).await?;
    let lines: Vec<_> = rows.into_iter().filter_map(|row| row.into_iter().next()?).collect();
    let (sound, broken): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| line.starts_with("sound "));
    assert!(broken.is_empty(), "no transaction ends like this: {broken:#?}");
    Ok(Some(sound.len().try_into().expect("a shard or two")))
}
