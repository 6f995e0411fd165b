//! A writer of a shard: one transaction after the other over topics of its own, of every kind that
//! rules between rows make hard to follow.
//!
//! Each transaction ends by writing one stamp to a topic and to a question, and to each topic how
//! many questions it has, so that a reader of a copy sees whether it holds whole transactions.

use super::world::World;
use crate::rig::Chance;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::sleep;

/// How many writers a shard has.
pub(super) const WRITERS: usize = 2;

/// From this weight on, a question may be refused by its copy.
pub(super) const HEAVY: u32 = 900;

/// How many topics a writer has; its first one is the stamped one, and its others may have their
/// number or the one above by [`MOVED`].
const TOPICS: u64 = 6;
const MOVED: u64 = 100;

/// Numbers of one writer.
const OWN: u64 = 100_000;

/// Writes until it is over.
pub(super) async fn write(world: Arc<World>, shard: usize, number: usize, seed: u64) {
    let own = OWN * (1 + shard * WRITERS + number) as u64;
    let mut chance = Chance::new(seed ^ own);
    let (mut session, mut stamp) = (None, 0);
    while !world.is_over() {
        let Some(connected) = &session else {
            session = world.in_shard(shard).await;
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        stamp += 1;
        match connected.query(&transaction(&mut chance, own, stamp)).await {
            Ok(_) => drop(world.committed.fetch_add(1, Ordering::SeqCst)),
            Err(_) if connected.is_closed() => session = None,
            // Two waited for each other.
            Err(_) => drop(connected.query("rollback").await),
        }
        sleep(Duration::from_millis(10 + chance.below(60))).await;
    }
}

fn transaction(chance: &mut Chance, own: u64, stamp: u64) -> String {
    let mut statements = vec!["begin".to_owned()];
    for _ in 0..=chance.below(4) {
        statements.push(work(chance, own));
    }
    let (first, last) = (own, own + OWN - 1);
    statements.push(format!(
        "insert into topic values ({own}, 'stamped {own}', 0, {stamp})
             on conflict (id) do update set stamp = excluded.stamp;
         insert into question values ({own}, {own}, 0, 0, 1, 'stamped', {stamp})
             on conflict (id) do update set stamp = excluded.stamp;
         update topic set n = real.n from (select t.id, count(q.id) n from topic t
             left join question q on q.topic_id = t.id
             where t.id between {first} and {last} group by t.id) real
             where real.id = topic.id and real.n <> topic.n;
         commit"
    ));
    statements.join("; ")
}

fn work(chance: &mut Chance, own: u64) -> String {
    let topic = own + 1 + chance.below(TOPICS);
    let moved = topic + MOVED;
    let question = own + 1 + chance.below(400);
    let weight = match chance.once_in(8) {
        true => u64::from(HEAVY),
        false => chance.below(HEAVY.into()),
    };
    let (place, kind) = (chance.below(500), chance.below(7));
    let of_topic = format!("topic_id in ({topic}, {moved})");
    match chance.below(40) {
        0..=4 => format!(
            "insert into topic values ({topic}, 'topic {topic}', 0, 0) on conflict do nothing"
        ),
        5..=14 => format!(
            "insert into question select {question} + i, id, {place} + i, {kind}, {weight},
                 repeat('x', 10 + i * 30), 0 from topic, generate_series(0, 3) i
             where id in ({topic}, {moved}) on conflict do nothing"
        ),
        15..=18 => {
            format!("update question set weight = {weight}, kind = {kind} where id = {question}")
        }
        19 => format!("update question set body = repeat('y', 5000) where id = {question}"),
        20..=22 => format!("delete from question where id between {question} and {question} + 4"),
        23 => format!("delete from topic where id in ({topic}, {moved})"),
        24 | 25 => move_topic(topic, moved),
        26 | 27 => move_topic(moved, topic),
        28 | 29 => format!("update question set kind = {kind} where {of_topic}"),
        30 | 31 => format!(
            "update question set id = {question} + 5000 where id = {question} and not exists
                 (select from question where id = {question} + 5000)"
        ),
        32..=34 => swap_places(question, question + 1),
        35 => swap_names(topic, own + 1 + (topic - own) % TOPICS),
        36 => format!(
            "update question set topic_id = {own}, place = id::int where {of_topic} and id % 3 = 0"
        ),
        37 => format!(
            "insert into question select {own} + 20000 + n, {own}, 20000 + n, {kind}, 1,
                 repeat('z', 200), 0 from generate_series(1, 600) n on conflict do nothing"
        ),
        38 => format!("delete from question where id > {own} + 20000 and id < {own} + {OWN}"),
        _ if chance.once_in(40) => "truncate topic, question".to_owned(),
        _ => format!("delete from question where topic_id = {own} and id <> {own}"),
    }
}

/// A key that questions refer to stays: where the copies' foreign key can not be deferred there is no
/// order in which such a change could be written.
fn move_topic(from: u64, to: u64) -> String {
    format!(
        "update topic set id = {to} where id = {from} and not exists
             (select from topic where id = {to}) and not exists
             (select from question where topic_id = {from})"
    )
}

/// Two questions change places, so that neither can be written before the other.
fn swap_places(one: u64, other: u64) -> String {
    format!(
        "update question a set place = -1 - (a.place * 1000 + b.place) from question b
             where a.id = {one} and b.id = {other} and a.topic_id = b.topic_id
                 and a.place between 0 and 999 and b.place between 0 and 999;
         update question b set place = (-1 - a.place) / 1000 from question a
             where a.id = {one} and b.id = {other} and a.place < 0;
         update question set place = (-1 - place) % 1000 where id = {one} and place < 0"
    )
}

/// The same with the names of two topics.
fn swap_names(one: u64, other: u64) -> String {
    format!(
        "update topic a set name = a.name || '/' || b.name from topic b
             where a.id = {one} and b.id = {other};
         update topic b set name = split_part(a.name, '/', 1) from topic a
             where a.id = {one} and b.id = {other} and a.name like '%/%';
         update topic set name = split_part(name, '/', 2) where id = {one} and name like '%/%'"
    )
}
