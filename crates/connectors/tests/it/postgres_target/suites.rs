//! The suites of the target and inspect ports.

use super::rig::{OWNED, Rig, TABLE, copy};
use instep_connectors::CopyTo;
use model::Claim;
use std::sync::Arc;
use testkit::conformance::rows::{row, table};
use testkit::conformance::{inspect, target};
use testkit::postgres::shared;

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_database_keeps_the_promises_of_a_transactional_target() {
    suite(|| Rig::new(TABLE)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_several_lanes_feed_keeps_them_as_well() {
    suite(|| Rig::owned(OWNED)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_whose_key_is_a_unique_index_keeps_them_as_well() {
    let table =
        "create table public.questions_copy (topic int, body text check (body <> 'refused'),
        id numeric not null, extra int default 7, unique (id))";
    suite(|| Rig::new(table)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partitioned_table_with_triggers_and_deferred_constraints_keeps_them_as_well() {
    let table = "create table public.questions_copy (id bigint primary key, topic bigint, body text
            check (body <> 'refused'), unique (id, topic) deferrable initially immediate)
            partition by range (id);
        create table public.low partition of public.questions_copy for values from (0) to (2);
        create table public.high partition of public.questions_copy default;
        create function public.same() returns trigger language plpgsql as
            $$ begin if tg_op = 'DELETE' then return old; end if; return new; end $$;
        create trigger same before insert or update or delete on public.questions_copy
            for each row execute function public.same()";
    suite(|| Rig::new(table)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_made_keeps_them_but_for_refusals() {
    if shared().is_none() {
        return;
    }
    let copy = CopyTo { create: true, ..copy() };
    target::suite(async || {
        let rig = Rig::of("", copy.clone(), table("questions")).expect("a database");
        target::Subject { refused: None, ..subject(&rig) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_keeps_the_promises_of_inspection() {
    if shared().is_none() {
        return;
    }
    for table in [
        TABLE,
        "create table public.questions_copy (id numeric primary key, topic int, body varchar(20))",
        "create table public.questions_copy (id int, topic text, body text collate \"POSIX\",
            unique nulls not distinct (id))",
    ] {
        inspect::suite(async || {
            let rig = Rig::new(table).expect("a database");
            let rows = inspect::filled().into_iter().map(|row| rig.put(row)).collect();
            assert_eq!(rig.lead().await.together(1, rows).await, None);
            inspect::Subject { service: rig.inspect(), table: rig.table.clone(), is_source: false }
        })
        .await;
    }
}

async fn suite(make: impl Fn() -> Option<Rig>) {
    if shared().is_none() {
        return;
    }
    target::suite(async || subject(&make().expect("a database"))).await;
}

fn subject(rig: &Rig) -> target::Subject {
    target::Subject {
        service: Arc::new(rig.target.clone()),
        inspect: rig.inspect(),
        copy: rig.copy.name.clone(),
        table: rig.table.clone(),
        lane: "lane".into(),
        claim: Claim::Transactional,
        refused: Some(row(13, 7, "refused")),
        owned: rig.copy.shard_column.is_some(),
    }
}
