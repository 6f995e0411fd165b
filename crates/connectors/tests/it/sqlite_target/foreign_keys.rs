//! Tables of a copy whose rows refer to one another.

use super::rig::Rig;
use instep_connectors::CopyTo;
use instep_connectors::sqlite::File;
use instep_connectors::sqlite::target::SqliteTarget;
use model::{Effect, Mode, Outcome};
use testkit::conformance::rows::{key, row};

/// A tree: the topic of a row is the id of its parent.
const TREE: &str = "create table questions_copy (
    id integer primary key, topic int references questions_copy (id), body text)";

#[tokio::test]
async fn a_row_may_come_before_the_one_that_it_refers_to() {
    let rig = Rig::new(TREE);
    let mut led = rig.lead().await;
    let mut first = led.batch(1, vec![rig.put(row(1, 2, "child"))]);
    first.last = false;
    led.target.apply(&first, Mode::Together).await.expect("taken");
    assert_eq!(led.together(1, vec![rig.put(row(2, 2, "root"))]).await, None);
    let gone = [2, 1].map(|id| rig.write(Effect::Delete(key(id))));
    assert_eq!(led.together(2, gone.into()).await, None);
    assert_eq!(dump(&rig), "");
}

#[tokio::test]
async fn a_row_that_refers_to_none_refuses_its_transaction() {
    let rig = Rig::new(TREE);
    let mut led = rig.lead().await;
    let writes = vec![rig.put(row(1, 1, "root")), rig.put(row(2, 9, "orphan"))];
    let reason = led.together(1, writes).await.expect("there is no row 9");
    assert!(reason.contains("FOREIGN KEY"), "{reason}");
    assert_eq!(dump(&rig), "");
    assert_eq!(led.together(2, vec![rig.put(row(1, 1, "root"))]).await, None);
}

#[tokio::test]
async fn row_by_row_the_row_that_refers_to_none_is_held_and_no_other() {
    let rig = Rig::new(TREE);
    let mut led = rig.lead().await;
    let writes = [(4, 3, "grandchild"), (3, 2, "child"), (5, 9, "orphan"), (6, 5, "its child")]
        .map(|(id, topic, body)| rig.put(row(id, topic, body)));
    let writes = writes.into_iter().chain([rig.put(row(2, 2, "root"))]).collect();
    assert_eq!(led.each(1, writes).await, [2, 3]);
    assert_eq!(rig.dump("select id from questions_copy"), "2\n3\n4");
    assert_eq!(led.held().await, [key(5), key(6)]);
    // The parent comes; both pass when they are tried again.
    let writes = [(9, 9), (6, 5), (5, 9)].map(|(id, topic)| rig.put(row(id, topic, "now")));
    assert_eq!(led.each(2, writes.into()).await, [] as [usize; 0]);
    assert_eq!(led.held().await, []);
}

#[tokio::test]
async fn row_by_row_a_parent_that_still_has_children_is_held() {
    let rig = Rig::new(TREE);
    let mut led = rig.lead().await;
    let rows = [(1, 1), (2, 1), (3, 3)].map(|(id, topic)| rig.put(row(id, topic, "a")));
    assert_eq!(led.together(1, rows.into()).await, None);
    let gone = [1, 3].map(|id| rig.write(Effect::Delete(key(id))));
    assert_eq!(led.each(2, gone.into()).await, [0]);
    assert_eq!(dump(&rig), "1|1|a\n2|1|a");
    assert_eq!(led.held().await, [key(1)]);
}

#[tokio::test]
async fn where_no_row_can_be_blamed_the_answer_says_so() {
    let statements = format!(
        "{TREE}; create table others (
        parent int references questions_copy (id) deferrable initially deferred)"
    );
    let rig = Rig::new(&statements);
    let mut led = rig.lead().await;
    assert_eq!(led.together(1, vec![rig.put(row(1, 1, "root"))]).await, None);
    rig.hand().execute("insert into others values (1)", []).expect("it works");
    let batch = led.batch(2, vec![rig.write(Effect::Delete(key(1)))]);
    let outcome = led.target.apply(&batch, Mode::RowByRow).await.expect("an answer");
    assert!(matches!(&outcome, Outcome::Refused(reason) if reason.contains("FOREIGN KEY")));
    assert_eq!(dump(&rig), "1|1|root");
}

#[tokio::test]
async fn the_children_of_a_parent_that_stands_aside_for_a_while_stay() {
    let statements = "create table questions_copy (
            id integer primary key, topic int not null unique, body text);
        create table answers (question int references questions_copy (id) on delete cascade)";
    let rig = Rig::new(statements);
    let mut led = rig.lead().await;
    let rows = vec![rig.put(row(1, 1, "a")), rig.put(row(2, 2, "a"))];
    assert_eq!(led.together(1, rows).await, None);
    rig.hand().execute("insert into answers values (1), (2)", []).expect("it works");
    let swapped = vec![rig.put(row(1, 2, "b")), rig.put(row(2, 1, "b"))];
    assert_eq!(led.together(2, swapped).await, None);
    assert_eq!(rig.dump("select question from answers"), "1\n2");
}

#[tokio::test]
async fn a_target_says_whose_rows_refer_to_whose() {
    let statements = format!(
        "{TREE}; create table answers (id integer primary key,
             question int references Questions_Copy (id))"
    );
    let mut rig = Rig::new(&statements);
    rig.target = SqliteTarget::new(
        File::new(&rig.folder.file()),
        vec![rig.copy.clone(), CopyTo::new("answers", "answers")],
    );
    let mut led = rig.lead().await;
    let standing = led.target.standing(&"lane".into()).await.expect("an answer");
    assert_eq!(standing.refers[&"answers".into()], [rig.copy.name.clone()].into());
}

fn dump(rig: &Rig) -> String {
    rig.dump("select id, topic, body from questions_copy order by id")
}
