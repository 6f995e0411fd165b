//! Tables of a copy whose rows refer to one another, and tables of one group that do (AP5).

use super::rig::{Led, Rig, copy};
use instep_connectors::CopyTo;
use instep_connectors::postgres::PostgresTarget;
use model::{Effect, Mode, Outcome, Row, Service, Write};
use testkit::conformance::rows::{key, row, table};

/// A tree: the topic of a row is the id of its parent.
const TREE: &str = "create table public.questions_copy (
    id bigint primary key, topic bigint references public.questions_copy (id), body text)";

/// What can stand behind it.
const WHEN: [&str; 3] = ["", "deferrable initially immediate", "deferrable initially deferred"];

fn tree(when: &str) -> String {
    TREE.replace("(id), body", &format!("(id) {when}, body"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_may_come_before_the_one_that_it_refers_to() {
    let Some(rig) = Rig::new("") else { return };
    for when in WHEN {
        rig.again(&tree(when));
        let mut led = rig.lead().await;
        let rows = [(4, 3), (3, 2), (1, 2), (2, 2)].map(|(id, topic)| rig.put(row(id, topic, "a")));
        assert_eq!(led.together(1, rows.into()).await, None, "{when}");
        assert_eq!(dump(&rig), "1|2|a\n2|2|a\n3|2|a\n4|3|a", "{when}");
        let gone = [2, 3, 1, 4].map(|id| rig.write(Effect::Delete(key(id))));
        assert_eq!(led.together(2, gone.into()).await, None, "{when}");
        assert_eq!(dump(&rig), "", "{when}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_constraints_can_wait_the_parent_may_come_in_a_later_batch() {
    let Some(rig) = Rig::new("") else { return };
    for when in &WHEN[1..] {
        for mode in [Mode::Together, Mode::RowByRow] {
            rig.again(&tree(when));
            let mut led = rig.lead().await;
            let mut first = led.batch(1, vec![rig.put(row(1, 2, "child"))]);
            first.last = false;
            led.target.apply(&first, mode).await.expect("taken");
            let second = led.batch(1, vec![rig.put(row(2, 2, "root"))]);
            let outcome = led.target.apply(&second, mode).await.expect("taken");
            assert_eq!(outcome, Outcome::Written { flushed: None, refused: vec![] }, "{when}");
            assert_eq!(dump(&rig), "1|2|child\n2|2|root", "{when}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_refers_to_none_refuses_its_transaction() {
    let Some(rig) = Rig::new("") else { return };
    for when in WHEN {
        rig.again(&tree(when));
        let mut led = rig.lead().await;
        let writes = vec![rig.put(row(1, 1, "root")), rig.put(row(2, 9, "orphan"))];
        let reason = led.together(1, writes).await.expect("there is no row 9");
        assert!(reason.contains("violates foreign key constraint"), "{reason}");
        assert_eq!(dump(&rig), "", "{when}");
        assert_eq!(led.together(2, vec![rig.put(row(1, 1, "root"))]).await, None, "{when}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_by_row_the_row_that_refers_to_none_is_held_and_no_other() {
    let Some(rig) = Rig::new("") else { return };
    for when in WHEN {
        rig.again(&tree(when));
        let mut led = rig.lead().await;
        let writes = [(4, 3, "grandchild"), (3, 2, "child"), (5, 9, "orphan"), (6, 5, "its child")]
            .map(|(id, topic, body)| rig.put(row(id, topic, body)));
        let writes = writes.into_iter().chain([rig.put(row(2, 2, "root"))]).collect();
        assert_eq!(led.each(1, writes).await, [2, 3], "{when}");
        assert_eq!(rig.sql("select id from questions_copy order by id"), "2\n3\n4");
        assert_eq!(led.held().await, [key(5), key(6)]);
        // The parent comes; both pass when they are tried again.
        let writes = [(9, 9), (6, 5), (5, 9)].map(|(id, topic)| rig.put(row(id, topic, "now")));
        assert_eq!(led.each(2, writes.into()).await, [] as [usize; 0], "{when}");
        assert_eq!(led.held().await, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_by_row_a_parent_that_still_has_children_is_held() {
    let Some(rig) = Rig::new("") else { return };
    for when in WHEN {
        rig.again(&tree(when));
        let mut led = rig.lead().await;
        let rows = [(1, 1), (2, 1), (3, 3)].map(|(id, topic)| rig.put(row(id, topic, "a")));
        assert_eq!(led.together(1, rows.into()).await, None);
        let gone = [1, 3].map(|id| rig.write(Effect::Delete(key(id))));
        assert_eq!(led.each(2, gone.into()).await, [0], "{when}");
        assert_eq!(dump(&rig), "1|1|a\n2|1|a");
        assert_eq!(led.held().await, [key(1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_an_earlier_batch_that_refers_to_none_at_the_end_refuses_the_transaction() {
    let Some(rig) = Rig::new("") else { return };
    for when in &WHEN[1..] {
        rig.again(&tree(when));
        let mut led = rig.lead().await;
        let mut first = led.batch(1, vec![rig.put(row(1, 2, "orphan"))]);
        first.last = false;
        led.target.apply(&first, Mode::RowByRow).await.expect("taken");
        let second = led.batch(1, vec![rig.put(row(3, 3, "root"))]);
        let outcome = led.target.apply(&second, Mode::RowByRow).await.expect("an answer");
        assert!(
            matches!(&outcome, Outcome::Refused(reason) if reason.contains("foreign key")),
            "{outcome:?}"
        );
        assert_eq!(led.together(1, vec![rig.put(row(3, 3, "root"))]).await, None);
        assert_eq!(dump(&rig), "3|3|root");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_by_row_a_row_that_others_still_refer_to_is_held_whenever_that_is_checked() {
    let Some(rig) = Rig::new("") else { return };
    for when in WHEN {
        let statements = format!(
            "create table public.questions_copy (id bigint primary key, topic bigint, body text);
             create table others (parent bigint references public.questions_copy (id) {when})"
        );
        rig.again(&statements);
        let mut led = rig.lead().await;
        let rows = [1, 2].map(|id| rig.put(row(id, 1, "a")));
        assert_eq!(led.together(1, rows.into()).await, None);
        rig.sql("insert into others values (1)");
        let gone = || [1, 2].map(|id| rig.write(Effect::Delete(key(id)))).into();
        let reason = led.together(2, gone()).await.expect("somebody refers to it");
        assert!(reason.contains("foreign key"), "{reason}");
        assert_eq!(led.each(2, gone()).await, [0], "{when}");
        assert_eq!(dump(&rig), "1|1|a", "{when}");
        assert_eq!(led.held().await, [key(1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_children_of_a_parent_that_stands_aside_for_a_while_stay() {
    let statements = "create table public.questions_copy (
            id bigint primary key, topic int not null unique, body text);
        create table answers (
            question int references public.questions_copy (id) on delete cascade)";
    let Some(rig) = Rig::new(statements) else { return };
    let mut led = rig.lead().await;
    let rows = vec![rig.put(row(1, 1, "a")), rig.put(row(2, 2, "a"))];
    assert_eq!(led.together(1, rows).await, None);
    rig.sql("insert into answers values (1), (2)");
    let swapped = vec![rig.put(row(1, 2, "b")), rig.put(row(2, 1, "b"))];
    assert_eq!(led.together(2, swapped).await, None);
    assert_eq!(rig.sql("select question from answers order by 1"), "1\n2");
}

/// Cascades stand in the log as deletes behind that of the parent; here they have happened already.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_may_be_deleted_before_its_children_whatever_the_table_does_to_them() {
    let Some(rig) = Rig::new("") else { return };
    for action in ["cascade", "restrict", "no action", "set null"] {
        for mode in [Mode::Together, Mode::RowByRow] {
            let statements = tree("").replace("(id) ,", &format!("(id) on delete {action},"));
            rig.again(&statements);
            let mut led = rig.lead().await;
            let rows = [(1, 1), (2, 1), (3, 2), (4, 4)];
            let rows = rows.map(|(id, topic)| rig.insert(row(id, topic, "a")));
            assert_eq!(led.together(1, rows.into()).await, None);
            let gone = [1, 2, 3].map(|id| rig.write(Effect::Delete(key(id))));
            let batch = led.batch(2, gone.into());
            let outcome = led.target.apply(&batch, mode).await.expect("an answer");
            let written = Outcome::Written { flushed: None, refused: vec![] };
            assert_eq!(outcome, written, "{action} {mode:?}");
            assert_eq!(dump(&rig), "4|4|a", "{action}");
        }
    }
}

/// Two tables of one group: `others` refers to `copy` and, in a ring, the other way round as well.
const PAIR: &str = "create table public.questions_copy (
        id bigint primary key, topic bigint, body text);
    create table public.others (id bigint primary key,
        topic bigint not null references public.questions_copy (id) {when}, body text);";
const RING: &str = "alter table public.questions_copy
    add foreign key (topic) references public.others (id) {when}";

struct Pair {
    rig: Rig,
    led: Led,
}

impl Pair {
    async fn new(statements: &str) -> Option<Self> {
        let mut rig = Rig::new(statements)?;
        let copies = vec![copy(), CopyTo::new("others", "public.others")];
        rig.target = PostgresTarget::new(rig.access(), copies);
        let led = rig.lead().await;
        Some(Self { rig, led })
    }

    fn other(&self, effect: Effect) -> Write {
        let (copy, table) = ("others".into(), table("others"));
        Write { copy, table, ..self.rig.write(effect) }
    }

    fn put_other(&self, row: Row, new: bool) -> Write {
        let key = self.rig.table.key_of(&row).expect("a key");
        self.other(Effect::Put { key, row, new })
    }

    async fn takes(&mut self, number: u64, writes: Vec<Write>, mode: Mode) {
        let batch = self.led.batch(number, writes);
        let outcome = self.led.target.apply(&batch, mode).await.expect("an answer");
        assert_eq!(outcome, Outcome::Written { flushed: None, refused: vec![] });
    }

    fn counts(&self) -> String {
        self.rig.sql(
            "select (select count(*) from questions_copy), (select count(*) from public.others)",
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_two_tables_that_refer_to_each_other_may_come_in_any_order() {
    for when in WHEN {
        for mode in [Mode::Together, Mode::RowByRow] {
            for new in [true, false] {
                let Some(mut pair) = Pair::new(&PAIR.replace("{when}", when)).await else { return };
                let mut writes = Vec::new();
                for id in 1..=20 {
                    writes.push(pair.put_other(row(id, 21 - id, "a"), new));
                    let parent = row(id, 0, "a");
                    writes.push(if new { pair.rig.insert(parent) } else { pair.rig.put(parent) });
                }
                pair.takes(1, writes, mode).await;
                assert_eq!(pair.counts(), "20|20");
                let gone = (1..=20).flat_map(|id| {
                    let (one, two) = (Effect::Delete(key(id)), Effect::Delete(key(id)));
                    [pair.rig.write(one), pair.other(two)]
                });
                let gone = gone.collect();
                pair.takes(2, gone, mode).await;
                assert_eq!(pair.counts(), "0|0");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_of_two_tables_is_taken_where_its_constraints_can_wait_as_they_do_at_the_source() {
    for when in &WHEN[1..] {
        for mode in [Mode::Together, Mode::RowByRow] {
            let statements = format!("{PAIR}{RING}").replace("{when}", when);
            let Some(mut pair) = Pair::new(&statements).await else { return };
            let mut writes = Vec::new();
            for id in 1..=5 {
                writes.push(pair.rig.insert(row(id, 6 - id, "a")));
                writes.push(pair.put_other(row(id, id, "a"), true));
            }
            pair.takes(1, writes, mode).await;
            assert_eq!(pair.counts(), "5|5");
            let gone = (1..=5).flat_map(|id| {
                let (one, two) = (Effect::Delete(key(id)), Effect::Delete(key(id)));
                [pair.rig.write(one), pair.other(two)]
            });
            let gone = gone.collect();
            pair.takes(2, gone, mode).await;
            assert_eq!(pair.counts(), "0|0");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ring_that_cannot_wait_is_taken_as_its_source_could_have_written_it() {
    for mode in [Mode::Together, Mode::RowByRow] {
        let statements = format!("{PAIR}{RING}").replace("{when}", "");
        let Some(mut pair) = Pair::new(&statements).await else { return };
        // First a row without its other, then that, then the row again: as one source transaction.
        let null = || Row::new([model::Value::Int(1), model::Value::Null, "a".into()]);
        let writes = vec![
            pair.rig.insert(null()),
            pair.put_other(row(1, 1, "a"), true),
            pair.rig.put(row(1, 1, "a")),
        ];
        pair.takes(1, writes, mode).await;
        assert_eq!(pair.counts(), "1|1");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncate_of_a_table_that_others_refer_to_comes_before_or_behind_theirs() {
    for parent_first in [true, false] {
        let statements = PAIR.replace("{when}", "");
        let Some(mut pair) = Pair::new(&statements).await else { return };
        let writes = vec![pair.rig.insert(row(1, 1, "a")), pair.put_other(row(1, 1, "a"), true)];
        pair.takes(1, writes, Mode::Together).await;
        let mut gone = vec![pair.rig.write(Effect::Truncate), pair.other(Effect::Truncate)];
        if !parent_first {
            gone.reverse();
        }
        pair.takes(2, gone, Mode::Together).await;
        assert_eq!(pair.counts(), "0|0");
    }
}

fn dump(rig: &Rig) -> String {
    rig.sql("select id, topic, body from questions_copy order by id")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_stand_in_one_target_that_knows_no_other() {
    let Some(pair) = Pair::new(&PAIR.replace("{when}", "")).await else { return };
    let fit = pair.rig.target.fit(&"others".into(), &table("others")).await.expect("it fits");
    assert_eq!(fit.refers, ["public.questions_copy"]);
    let fault = pair.rig.target.fit(&"more".into(), &table("others")).await;
    assert!(fault.expect_err("there is none").what.contains("more"));
    assert!(pair.rig.target.connect().await.is_ok());
}

/// As `on update cascade` stands in the log: the row goes, comes with another key, and then the rows
/// that refer to it follow. Its unique value goes with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_others_refer_to_may_get_another_key_and_keep_its_unique_value() {
    for unique in ["", "; alter table public.questions_copy add unique (body)"] {
        for mode in [Mode::Together, Mode::RowByRow] {
            let statements = format!("{}{unique}", PAIR.replace("{when}", ""));
            let Some(mut pair) = Pair::new(&statements).await else { return };
            let rows = vec![
                pair.rig.put(row(1, 1, "name")),
                pair.put_other(row(5, 1, "a"), true),
                pair.put_other(row(6, 1, "b"), true),
            ];
            pair.takes(1, rows, mode).await;
            let moved = vec![
                pair.rig.write(Effect::Delete(key(1))),
                pair.rig.put(row(9, 1, "name")),
                pair.put_other(row(5, 9, "a"), false),
                pair.put_other(row(6, 9, "b"), false),
            ];
            pair.takes(2, moved, mode).await;
            assert_eq!(pair.rig.sql("select id, body from questions_copy"), "9|name");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_says_whose_rows_refer_to_whose() {
    let Some(mut pair) = Pair::new(&format!("{PAIR}{RING}").replace("{when}", "")).await else {
        return;
    };
    let refers = |from: &str, to: &str| (from.into(), [to.into()].into());
    let standing = pair.led.target.standing(&"lane".into()).await.expect("an answer");
    assert_eq!(standing.refers, [refers("copy", "others"), refers("others", "copy")].into());
    let others = "create table public.others (id bigint primary key)";
    pair.rig.again(&format!("{}; {others}", tree("")));
    let mut led = pair.rig.lead().await;
    let standing = led.target.standing(&"lane".into()).await.expect("an answer");
    assert_eq!(standing.refers, [].into(), "a table that refers to itself waits for none");
}
