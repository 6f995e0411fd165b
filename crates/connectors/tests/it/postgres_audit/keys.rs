//! Keys that are equal byte by byte, whatever the server calls equal; and those that are useless.

use super::asks::{audit, between, everything, key};
use crate::postgres::rig::Database;
use model::{Flaw, Kind, Selection, Value};

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_found_by_its_bytes_alone() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create collation public.loose (provider = icu, locale = 'und-u-ks-level2',
                 deterministic = false);
             create table public.t (name text collate public.loose primary key, n numeric unique);
             insert into public.t values ('Ann', 1.0), ('bob', 2.50), ('', 0)",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["name"]).await;
    let keys = ["ann", "ANN", "Bob", "Ann", "", " ", "nobody"].map(|name| key([name]));
    let found = audit.find(&ask, &keys).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), [&key([""]), &key(["Ann"])]);
    let listed = audit.marks(&ask, &Selection::Keys(keys.to_vec()), 9).await.unwrap();
    assert_eq!(listed.found.len(), 2);
    let ask = everything(&mut audit, "public.t", &["n"]).await;
    let keys = ["1.000", "2.5", "2"].map(|it| key([Value::Decimal(it.parse().unwrap())]));
    assert_eq!(audit.find(&ask, &keys).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn very_many_keys_are_found_in_one_call() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (a int, b text, primary key (a, b));
             insert into public.t select i, 'it''s \\' || i from generate_series(1, 1300) i",
        )
        .await;
    let mut audit = audit(&database).await;
    let ask = everything(&mut audit, "public.t", &["a", "b"]).await;
    let keys = (1..=2_000_i64)
        .map(|id| key([Value::Int(id), Value::from(&*format!("it's \\{id}"))]))
        .collect::<Vec<_>>();
    assert_eq!(audit.find(&ask, &keys).await.unwrap().len(), 1_300);
    assert!(audit.find(&ask, &[]).await.unwrap().is_empty());
    assert!(audit.find(&ask, &[key([1])]).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_tell_rows_apart_is_told() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create table public.t (a int, b text, c interval, d json);
             insert into public.t values (1, 'x', '1 mon', '1'), (2, 'x', '30 days', '2'),
                 (3, null, 'P1D', '3'), (3, 'X', '2 mon', '1')",
        )
        .await;
    let mut audit = audit(&database).await;
    for (columns, flaw) in [
        (&["a"][..], Some(Flaw::Twice(key([3])))),
        (&["b"], Some(Flaw::Twice(key(["x"])))),
        (&["a", "b"], None),
        (&["a", "c"], None),
    ] {
        let ask = everything(&mut audit, "public.t", columns).await;
        assert_eq!(audit.flaw(&ask, &Selection::ALL).await.unwrap(), flaw, "{columns:?}");
    }
    let ask = everything(&mut audit, "public.t", &["a"]).await;
    // Between spans that the server calls equal no stretch can end.
    let spans = everything(&mut audit, "public.t", &["c"]).await;
    let flaw = audit.flaw(&spans, &Selection::ALL).await.unwrap();
    assert!(matches!(flaw, Some(Flaw::Twice(_))), "{flaw:?}");
    let below = between(None, Some(key([2])));
    assert_eq!(audit.flaw(&ask, &below).await.unwrap(), None);
    let mut ask = everything(&mut audit, "public.t", &["b"]).await;
    assert_eq!(audit.flaw(&ask, &Selection::Nothing).await.unwrap(), Some(Flaw::Null(1)));
    ask.condition = Some("b is not null".into());
    assert_eq!(audit.flaw(&ask, &Selection::Nothing).await.unwrap(), None);
    assert_eq!(ask.key[0].kind, Kind::Text);
}
