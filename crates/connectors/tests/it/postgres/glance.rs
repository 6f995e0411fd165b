//! What can be seen of a real server, and that looking leaves nothing there.

use super::rig::{Database, PATIENCE};
use instep_connectors::postgres::glance::{Glance, Whose, identity, stream};
use instep_connectors::postgres::{Access, Session};
use instep_connectors::sketch::SketchBounds;
use model::TableName;

const BOUNDS: SketchBounds =
    SketchBounds { tables_max: 3, sample_rows_max: 10, counted_rows_max: 20 };

async fn glance(access: &Access) -> Glance {
    Glance::connect(access, PATIENCE).await.unwrap()
}

#[tokio::test]
async fn a_server_says_who_it_is_in_either_way() {
    let Some(database) = Database::new().await else { return };
    let streaming = stream(&database.access).await.unwrap();
    let glance = glance(&database.access).await;
    assert_eq!(glance.identity().await.unwrap(), streaming.identity);
    assert_eq!(identity(&database.access).await.unwrap(), streaming.identity);
    assert!(!streaming.is_encrypted);
    let server = glance.server().await.unwrap();
    assert!(server.version >= 150_000 && server.wal_level == "logical" && !server.is_standby);
    assert_eq!(server.kept_mib_max, Some(1_024));
    assert!(server.clock_micros > 1_700_000_000_000_000);
    let rights = glance.rights().await.unwrap();
    assert!(rights.is_superuser && rights.replicates && rights.creates);
    assert_eq!((rights.role.as_str(), rights.database.as_str()), ("postgres", &*database.name));
}

#[tokio::test]
async fn a_publication_is_seen_with_what_it_leaves_out() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create schema s; create table s.\"A b\" (id int primary key, x int,
                 made int generated always as (x * 2) stored);
             create table public.rows (id int primary key);
             create table public.columns (id int primary key, x int);
             create publication part for table s.\"A b\", public.rows where (id > 5),
                 public.columns (id) with (publish = 'insert, update')",
        )
        .await;
    let glance = glance(&database.access).await;
    assert_eq!(glance.publication("none").await.unwrap(), None);
    let some = glance.publication("part").await.unwrap().unwrap();
    let names = |names: &[&str]| names.iter().map(|&name| TableName::from(name)).collect();
    assert_eq!(some.tables, names(&["s.A b", "public.rows", "public.columns"]));
    assert_eq!(some.cut, names(&["public.rows", "public.columns"]));
    assert!(some.owns && !some.is_whole && !some.is_via_root);
    let asked = [TableName::from("s.A b"), TableName::from("s.none")];
    let rights = glance.table_rights(&asked).await.unwrap();
    assert_eq!(rights.len(), 1);
    assert!(rights[0].selects && rights[0].owns && !rights[0].sees_some_rows);
    assert!(rights[0].is_superusers);
}

#[tokio::test]
async fn slots_and_open_transactions_are_seen() {
    let Some(database) = Database::new().await else { return };
    let slot = format!("instep_{}", database.name);
    database.run(&format!("select pg_create_logical_replication_slot('{slot}', 'pgoutput')")).await;
    database.run("create table public.t (id int primary key)").await;
    let other = Session::connect(&database.access).await.unwrap();
    other.query("begin; insert into public.t values (1)").await.unwrap();
    let pid = other.query("select pg_backend_pid()").await.unwrap()[0][0].clone().unwrap();
    let prepared = format!("prepared {}", database.name);
    let prepare = "begin; insert into public.t values (2); prepare transaction";
    database.run(&format!("{prepare} '{prepared}'")).await;
    let glance = glance(&database.access).await;
    let kept = glance.kept().await.unwrap();
    let kept = kept.iter().find(|kept| kept.slot == slot).unwrap();
    assert_eq!((kept.reader, kept.database.as_str()), (None, &*database.name));
    assert_eq!(kept.standing, "reserved");
    let open = glance.open().await.unwrap();
    let by = |whose: &Whose| open.iter().find(|open| open.whose == *whose).unwrap();
    assert!(by(&Whose::Process(pid.parse().unwrap())).seconds.is_some());
    assert_eq!(by(&Whose::Prepared(prepared.clone())).role.as_deref(), Some("postgres"));
    database.run(&format!("rollback prepared '{prepared}'")).await;
    database.run(&format!("select pg_drop_replication_slot('{slot}')")).await;
}

#[tokio::test]
async fn a_sketch_reads_so_much_and_leaves_nothing() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.a (id int primary key, kind text, long text);
             insert into public.a select n, 'k' || n % 2, repeat('x', 9999 * (n % 2))
                 from generate_series(1, 12) n;
             create table public.b () inherits (public.a);
             insert into public.b values (1), (2);
             create table public.c (id int primary key);
             insert into public.c select generate_series(1, 25);
             create table public.d (id int primary key);
             create table public.instep_e (id int primary key)",
        )
        .await;
    let glance = glance(&database.access).await;
    let sketch = glance.sketch(&BOUNDS).await.unwrap();
    let names: Vec<_> = sketch.tables.iter().map(|it| it.name.as_str()).collect();
    assert_eq!((names, sketch.more), (vec!["public.a", "public.b", "public.c"], 1));
    let a = &sketch.tables[0];
    // Rows of those that inherit from it are not its own.
    assert_eq!((a.rows, a.has_more_rows), (12, false));
    assert_eq!((sketch.tables[2].rows, sketch.tables[2].has_more_rows), (20, true));
    let kind = &a.columns[1];
    assert_eq!((kind.distinct, kind.nulls, kind.large, kind.sampled), (2, 0, 0, 10));
    assert_eq!(a.columns[2].large, 5);
    assert!(a.columns[0].is_key && sketch.tables[1].followed.is_err());
    assert_eq!(database.one("select count(*) from pg_publication").await, "0");
}
