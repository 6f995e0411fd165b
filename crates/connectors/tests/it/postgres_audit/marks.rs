//! Marks are the same for rows that mean the same, and for no others.

use super::asks::{audit, everything, key, look};
use crate::postgres::rig::Database;
use model::{Ask, Selection, Sum};

async fn sum(database: &Database, ask: &Ask) -> Sum {
    audit(database).await.sum(ask, &Selection::ALL).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_rows_have_equal_sums_whatever_their_columns_order_width_and_scale() {
    let (Some(one), Some(other)) = (Database::new().await, Database::new().await) else { return };
    one.run(
        "create table public.t (id int primary key, topic smallint, title varchar(50),
             body text, score numeric(10, 2), share float8, at timestamptz, tags text[], doc jsonb);
         insert into public.t select i, i % 7, 'title ' || i, case when i % 3 > 0 then 'b' || i end,
             i / 4.0, case when i % 2 = 0 then 0 else -0.0 end, timestamptz '2026-01-01Z'
             + i * interval '1 s', array['a,b', null], jsonb_build_object('n', i)
             from generate_series(1, 500) i",
    )
    .await;
    other
        .run(
            "set timezone = 'Asia/Tokyo';
             create table public.t (doc jsonb, tags text[], at timestamptz, share float8,
             score numeric, body varchar, title text collate \"C\", topic numeric, id bigint unique);
             insert into public.t select jsonb_build_object('n', i), array['a,b', null],
             timestamptz '2026-01-01Z' + i * interval '1 s', 0, (i * 25 / 100.0)::numeric(20, 6),
             case when i % 3 > 0 then 'b' || i end, 'title ' || i, (i % 7)::numeric(9, 3), i
             from generate_series(500, 1, -1) i",
        )
        .await;
    let ask = everything(&mut audit(&one).await, "public.t", &["id"]).await;
    let mut of_other = everything(&mut audit(&other).await, "public.t", &["id"]).await;
    of_other.columns.sort_by_key(|it| ask.columns.iter().position(|one| one.name == it.name));
    let first = sum(&one, &ask).await;
    assert_eq!(first.rows, 500);
    assert_eq!(first, sum(&other, &of_other).await);
    let listed = audit(&one).await.marks(&ask, &Selection::ALL, 600).await.unwrap();
    let mut again = Sum::default();
    listed.found.iter().for_each(|(_, mark)| again.add(*mark));
    assert_eq!((again, listed.more), (first, false));
    assert_eq!(listed.found[499].0, key([500]));
    // Marks are others in each comparison.
    let reseeded = Ask { seeds: [8, 0], ..ask };
    assert_ne!(first.marks, sum(&one, &reseeded).await.marks);
    // What is written in the other's way is the same for each column that is called so.
    let mut connection = audit(&one).await;
    let looks = look(&mut connection, "public.t").await;
    let mut connection = audit(&other).await;
    let of_other = look(&mut connection, "public.t").await;
    assert_eq!(looks.sums, of_other.sums);
    assert!(looks.sums.is_some());
    for (column, more) in looks.table.columns.iter().zip(&looks.columns) {
        let there = of_other.table.columns.iter().position(|it| it.name == column.name).unwrap();
        assert_eq!(more.written, of_other.columns[there].written, "{}", column.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_differ_in_anything_have_another_sum() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (id int primary key, a text, b text, n int, m int, c char(4),
                 j json, f float4);
             insert into public.t values (1, 'x', 'y', 1, 2, 'q', '[1]', 0.1), (2, '', null, 3, null,
                 null, null, null), (3, 'a,1:b', 'c', 4, 5, '', '{}', 'NaN')",
        )
        .await;
    let ask = everything(&mut audit(&database).await, "public.t", &["id"]).await;
    let first = sum(&database, &ask).await;
    for change in [
        "a = 'X' where id = 1",
        "a = 'x ' where id = 1",
        "a = b, b = a where id = 1",
        "a = '', b = 'xy' where id = 1",
        "a = null where id = 2",
        "b = '' where id = 2",
        "a = null, b = '' where id = 2",
        "a = 'a', b = '1:b,1:c' where id = 3",
        "n = m, m = n where id = 1",
        "n = null, m = 3 where id = 2",
        "n = 12, m = null where id = 1",
        "c = '' where id = 2",
        "c = null where id = 3",
        "j = 'null' where id = 2",
        "j = '[1 ]' where id = 1",
        "f = 0.10000001 where id = 1",
        "f = null where id = 3",
        "id = 4 where id = 3",
        "a = o.a from public.t o where o.id = 4 - t.id and t.id <> 2",
        "n = 5 - n where id in (1, 3)",
    ] {
        database.run(&format!("update public.t set {change}")).await;
        let changed = sum(&database, &ask).await;
        database
            .run(
                "truncate public.t; insert into public.t values (1, 'x', 'y', 1, 2, 'q', '[1]', 0.1),
                 (2, '', null, 3, null, null, null, null), (3, 'a,1:b', 'c', 4, 5, '', '{}', 'NaN')",
            )
            .await;
        assert_ne!(changed.marks, first.marks, "{change}");
    }
    database.run("update public.t set c = 'q ', f = 0.1::float4 where id = 1").await;
    assert_eq!(sum(&database, &ask).await, first);
    database.run("insert into public.t values (9)").await;
    assert_eq!(sum(&database, &ask).await.rows, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_very_many_columns_has_a_mark() {
    let Some(database) = Database::new().await else { return };
    let columns = |kind: &str| {
        (0..400).map(|at| format!("{}{at} {kind}", &kind[..1])).collect::<Vec<_>>().join(", ")
    };
    let made = format!(
        "create table public.t (id int primary key, {}, {}); insert into public.t (id) values (1)",
        columns("text"),
        columns("json")
    );
    database.run(&made).await;
    let mut connection = audit(&database).await;
    let ask = everything(&mut connection, "public.t", &["id"]).await;
    let first = connection.sum(&ask, &Selection::ALL).await.unwrap();
    database.run("update public.t set t399 = ''").await;
    let changed = connection.sum(&ask, &Selection::ALL).await.unwrap();
    assert_ne!(first.marks, changed.marks);
    assert_eq!((first.rows, changed.rows), (1, 1));
}
