//! Stretches, where they end, and rows that are found by their keys.

use super::rig::{Rig, all, ask, key, keys, range, values, wanted};
use model::{Ask, Audit, Key, Kind, Moment, Selection, Value};

const UUID: &str = "0123456789abcdef0123456789abcd";

/// Cuts the table into stretches of each size and reads them: each row has to come exactly once, and be
/// found by its key.
async fn tiles(session: &mut dyn Audit, ask: &Ask, expected: usize) {
    let whole = all(session, ask, 1_000).await;
    assert_eq!(whole.len(), expected, "{:?}", ask.table);
    for size in [1_u64, 2, 3] {
        let (mut after, mut read) = (None, Vec::new());
        loop {
            let upto = session.cut(ask, after.as_ref(), size).await.unwrap();
            let rows = session.rows(ask, &range(after, upto.clone()), 1_000).await.unwrap();
            assert!(!rows.more);
            if upto.is_some() {
                assert_eq!(u64::try_from(rows.found.len()).unwrap(), size);
            }
            read.extend(rows.found);
            after = upto;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(read, whole, "in stretches of {size}");
        let sized = usize::try_from(size).unwrap();
        assert_eq!(all(session, ask, sized).await, whole, "at most {size} at once");
    }
    let wanted: Vec<Key> = whole.iter().map(|(key, _)| key.clone()).collect();
    let found = session.find(ask, &wanted).await.unwrap();
    assert_eq!(found.len(), whole.len());
    assert!(whole.iter().all(|(key, row)| found[key].row == *row));
    let listed = session.rows(ask, &Selection::Keys(wanted), 1_000).await.unwrap();
    assert_eq!(listed.found.len(), whole.len());
}

#[tokio::test]
async fn each_row_is_in_one_stretch_whatever_its_key_is() {
    let rig = Rig::new(&format!(
        "create table number (id integer primary key, v);
         insert into number values (-9223372036854775808, 1), (-1, 2), (0, 3), (9223372036854775807, 4);
         create table mixed (k primary key not null, v) without rowid;
         insert into mixed values (1, 1), (2.5, 2), (9007199254740993, 3), (9007199254740992.0, 4),
             ('1', 5), ('', 6), (x'31', 7), (x'', 8), (1e300, 9), (-9223372036854775808.0, 10),
             ('a' || char(0) || 'b', 11), (cast(x'ff' as text), 12), ('A', 13), ('a', 14), ('a ', 15);
         create table nocase (k text collate nocase, v);
         insert into nocase values ('a', 1), ('A', 2), ('b', 3), ('ß', 4), ('B', 5), ('', 6), ('aa', 7);
         create table rtrim (k text collate rtrim, v);
         insert into rtrim values ('a', 1), ('a ', 2), ('a  ', 3), ('b', 4), (' a', 5);
         create table several (a text collate nocase, b, c int, v, primary key (c, a, b));
         insert into several values ('x', 1, 1, 1), ('X', 1.5, 1, 2), ('x', '1', 1, 3), ('X', x'', 0, 4),
             ('y', 2.0, 0, 5), ('y', 3, 0, 6);
         create table uuid (k text primary key, v);
         insert into uuid values ('01234567-89ab-cdef-0123-456789abcd00', 1),
             ('01234567-89AB-CDEF-0123-456789ABCD01', 2), ('{UUID}02', 3), (upper('{UUID}03'), 4),
             (x'{UUID}04', 5), ('no uuid', 6);
         create table time (k text, v);
         insert into time values ('2025-11-21 23:59:59.5', 1), ('2025-11-21T23:59:59', 2),
             ('2025-11-21T23:59:58.500Z', 3), ('2025-11-21 23:59:57+00:00', 4), ('never', 5), (7, 6);
         create view seen as select k, v from nocase;
         create table strict (k text primary key not null, v any) strict;
         insert into strict values ('b', 1), ('a', 2), ('é', 3);"
    ));
    let mut session = rig.session().await;
    let v = [("v", Kind::Any)];
    let any = [("k", Kind::Any)];
    let text = [("k", Kind::Text)];
    let several = [("c", Kind::Int), ("a", Kind::Text), ("b", Kind::Any)];
    for (ask, rows) in [
        (ask("number", &[("id", Kind::Int)], &v), 4),
        (ask("mixed", &any, &v), 15),
        (ask("nocase", &text, &v), 7),
        (ask("rtrim", &text, &v), 5),
        (ask("several", &several, &v), 6),
        (ask("uuid", &[("k", Kind::Uuid)], &v), 6),
        (ask("time", &[("k", Kind::TimestampTz)], &v), 6),
        (ask("time", &[("k", Kind::Timestamp)], &v), 6),
        (ask("seen", &text, &v), 7),
        (ask("strict", &text, &v), 3),
    ] {
        tiles(session.as_mut(), &ask, rows).await;
    }
}

#[tokio::test]
async fn a_key_of_another_store_ends_a_stretch_where_it_would_stand_here() {
    let rig = Rig::new(&format!(
        "create table u (k blob primary key, v); insert into u values (x'{UUID}01', 1), (x'{UUID}05', 2);
         create table w (k text primary key, v);
         insert into w values ('2025-11-21T10:00:00Z', 1), ('2025-11-21T12:00:00Z', 2);"
    ));
    let mut session = rig.session().await;
    let end = |last: u8| {
        let mut uuid = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].repeat(2);
        uuid[15] = last;
        key(Value::Uuid(uuid.try_into().unwrap()))
    };
    let uuids = ask("u", &[("k", Kind::Uuid)], &[]);
    for (after, upto, rows) in [(0, 3, 1), (3, 9, 1), (5, 9, 0), (1, 5, 1), (0, 1, 1)] {
        let range = range(Some(end(after)), Some(end(upto)));
        assert_eq!(session.rows(&uuids, &range, 9).await.unwrap().found.len(), rows);
    }
    let noon = 1_763_726_400_000_000;
    let end = |hour: i64| key(Value::TimestampTz(Moment::At(noon + (hour - 12) * 3_600_000_000)));
    let times = ask("w", &[("k", Kind::TimestampTz)], &[]);
    for (after, upto, rows) in [(0, 11, 1), (11, 12, 1), (12, 23, 0), (10, 12, 1)] {
        let range = range(Some(end(after)), Some(end(upto)));
        assert_eq!(session.rows(&times, &range, 9).await.unwrap().found.len(), rows, "{after}");
    }
}

#[tokio::test]
async fn a_row_is_found_by_the_bytes_of_its_key_alone() {
    let rig = Rig::new(
        "create table t (k text collate nocase primary key, v);
         insert into t values ('Abc', 1), ('d ', 2);
         create table n (k primary key, v); insert into n values (1, 1), ('2', 2), (3.0, 3), (x'34', 4);",
    );
    let mut session = rig.session().await;
    let texts = ask("t", &[("k", Kind::Text)], &[("v", Kind::Any)]);
    let wanted: Vec<Key> = ["Abc", "abc", "ABC", "d", "d ", ""].into_iter().map(key).collect();
    let found = session.find(&texts, &wanted).await.unwrap();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), [key("Abc"), key("d ")]);
    let any = ask("n", &[("k", Kind::Any)], &[("v", Kind::Any)]);
    let wanted = [key(1), key("1"), key(2), key("2"), key(3), key("4"), key(Value::Null)];
    let found = session.find(&any, &wanted).await.unwrap();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), [key(1), key(3), key("2")]);
    // Read as whole numbers, a text that is one is one.
    let whole = ask("n", &[("k", Kind::Int)], &[("v", Kind::Any)]);
    let found = session.find(&whole, &[key(1), key(2), key(3), key(4)]).await.unwrap();
    assert_eq!(found.keys().cloned().collect::<Vec<_>>(), [key(1), key(2), key(3)]);
    assert_eq!(values(&found[&key(2)].row), [Value::Int(2)]);
}

#[tokio::test]
async fn a_row_without_a_key_is_in_no_stretch_and_found_by_none() {
    let rig = Rig::new(
        "create table t (k text primary key, v);
         insert into t values (null, 1), ('a', 2), (null, 3), ('b', 4);",
    );
    let mut session = rig.session().await;
    let ask = ask("t", &[("k", Kind::Text)], &[("v", Kind::Any)]);
    assert_eq!(session.cut(&ask, None, 1).await.unwrap(), Some(key("a")));
    assert_eq!(keys(session.as_mut(), &ask, 1).await, [key("a"), key("b")]);
    assert!(session.find(&ask, &[key(Value::Null)]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_holds_no_more_than_it_may_and_one_row_at_least() {
    let rig = Rig::new(
        "create table t (id integer primary key, v blob);
         insert into t values (1, zeroblob(3000000)), (2, zeroblob(3000000)), (3, zeroblob(9000000)), (4, '');",
    );
    let mut session = rig.session().await;
    let ask = ask("t", &[("id", Kind::Int)], &[("v", Kind::Bytes)]);
    let rows = session.rows(&ask, &Selection::ALL, 1_000).await.unwrap();
    assert_eq!((rows.found.len(), rows.more), (2, true));
    let rows = session.rows(&ask, &range(Some(key(2)), None), 1_000).await.unwrap();
    assert_eq!((rows.found.len(), rows.more), (1, true));
    let rows = session.rows(&ask, &range(Some(key(2)), Some(key(3))), 1_000).await.unwrap();
    assert_eq!((rows.found.len(), rows.more), (1, false));
    let rows = session.rows(&ask, &range(Some(key(3)), None), 1).await.unwrap();
    assert_eq!((rows.found.len(), rows.more), (1, false));
    assert_eq!(session.rows(&ask, &Selection::Nothing, 9).await.unwrap().found, []);
}

#[tokio::test]
async fn rows_from_a_value_on_are_those_whose_column_is_not_less() {
    let rig = Rig::new(
        "create table t (id integer primary key, at text);
         insert into t values (1, '2025-11-21T10:00:00Z'), (2, '2025-11-21T10:00:00.500Z'), (3, null),
             (4, '2025-11-21T10:00:01Z');",
    );
    let mut session = rig.session().await;
    let mut ask = ask("t", &[("id", Kind::Int)], &[]);
    let at = wanted("at", Kind::TimestampTz);
    // A point sorts before a Z.
    for (newest, found) in [(1, vec![4]), (2, vec![1, 4]), (3, vec![1, 2, 4])] {
        ask.from = None;
        let from = session.newest(&ask, &at, newest).await.unwrap().unwrap();
        assert!(matches!(from, Value::TimestampTz(_)), "{from:?}");
        ask.from = Some((at.clone(), from));
        let found: Vec<Key> = found.into_iter().map(key).collect();
        assert_eq!(keys(session.as_mut(), &ask, 9).await, found, "{newest}");
    }
    ask.from = None;
    assert_eq!(session.newest(&ask, &at, 4).await.unwrap(), None, "it is NULL there");
    assert_eq!(session.newest(&ask, &at, 5).await.unwrap(), None, "there are fewer rows");
}
