//! Rows that are moved out of the way in a transaction of several batches, and keys that are held: no
//! held key has a turn, and nothing but a row is ever refused because of one.

use super::rig::{Led, Rig};
use model::{Mode, Outcome, Write};
use testkit::conformance::rows::{key, row};

const UNIQUE: &str = "create table public.questions_copy (
    id bigint primary key, topic bigint not null unique, body text check (body <> 'refused'))";

/// One row with topic 7, a batch to go before the last.
async fn first(rig: &Rig) -> Led {
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.insert(row(1, 7, "a"))]).await, None);
    led
}

/// Writes row by row, and goes on; which writes were refused.
async fn begins(led: &mut Led, number: u64, writes: Vec<Write>) -> Vec<usize> {
    let mut batch = led.batch(number, writes);
    batch.last = false;
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
    let Outcome::Written { refused, .. } = outcome else { panic!("{outcome:?}") };
    refused.into_iter().map(|refusal| refusal.write).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_place_a_held_one_has_is_refused_where_more_batches_come() {
    let Some(rig) = Rig::new(UNIQUE) else { return };
    let mut led = first(&rig).await;
    assert_eq!(led.each(2, vec![rig.put(row(1, 8, "refused"))]).await, [0]);
    // The source has let topic 7 go, which the held row has not.
    assert_eq!(begins(&mut led, 3, vec![rig.insert(row(2, 7, "b"))]).await, [0]);
    assert_eq!(led.each(3, vec![rig.insert(row(3, 9, "c"))]).await, [] as [usize; 0]);
    assert_eq!(led.held().await, [key(1), key(2)]);
    let all = rig.sql("select id, topic, body from questions_copy order by id");
    assert_eq!(all, "1|7|a\n3|9|c");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_moved_away_in_one_batch_may_be_refused_in_the_next() {
    let Some(rig) = Rig::new(UNIQUE) else { return };
    let mut led = first(&rig).await;
    let many = (10..20).map(|id| rig.insert(row(id, 10 * id, "b")));
    let writes = many.chain([rig.insert(row(2, 7, "b"))]).collect();
    assert_eq!(begins(&mut led, 2, writes).await, [] as [usize; 0]);
    assert_eq!(led.each(2, vec![rig.put(row(1, 8, "refused"))]).await, [0]);
    assert_eq!(led.held().await, [key(1)]);
    assert_eq!(rig.sql("select id from questions_copy where topic = 7"), "2");
    // As soon as it passes it is as it is at the source.
    assert_eq!(led.together(3, vec![rig.put(row(1, 8, "a"))]).await, None);
    assert_eq!(led.held().await, []);
    assert_eq!(rig.sql("select topic, body from questions_copy where id = 1"), "8|a");
}
