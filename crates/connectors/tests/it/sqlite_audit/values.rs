//! What Instep writes into a file is read as the values that it wrote.

use super::rig::{ask, values};
use crate::sqlite_target::values::{KINDS, block_on, keyed, keys, rig, row, same};
use instep_connectors::sqlite::{File, SqliteAudit};
use model::{Key, Kind, Row, Selection, Service, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeSet;

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn each_value_that_a_copy_was_given_is_read_as_it_was(table in vec(row(), 1..25)) {
        block_on(async {
            let rig = rig();
            let rows: Vec<_> = (1..).zip(table).map(|(id, values): (i64, Vec<Value>)| {
                Row::new([Value::Int(id)].into_iter().chain(values))
            }).collect();
            let puts = rows.iter().map(|row| rig.put(row.clone())).collect();
            assert_eq!(rig.lead().await.together(1, puts).await, None);
            let columns: Vec<_> = (0..KINDS.len()).map(|at| format!("c{at}")).collect();
            let columns: Vec<_> =
                columns.iter().zip(KINDS).map(|(name, (kind, _))| (name.as_str(), kind)).collect();
            let columns: Vec<_> = [("id", Kind::Int)].into_iter().chain(columns).collect();
            let ask = ask("made", &columns[..1], &columns);
            let mut session = SqliteAudit::new(File::new(&rig.path())).connect().await.unwrap();
            let found = session.rows(&ask, &Selection::ALL, 100).await.unwrap();
            assert_eq!((found.found.len(), found.more), (rows.len(), false));
            for (row, (_, found)) in rows.iter().zip(&found.found) {
                assert_eq!(values(&same(row)), values(&same(found)));
            }
            let keys: Vec<_> = found.found.iter().map(|(key, _)| key.clone()).collect();
            assert_eq!(session.find(&ask, &keys).await.unwrap().len(), rows.len());
        });
    }

    #[test]
    fn a_row_that_a_copy_was_given_is_found_by_its_key((at, keys) in keys()) {
        block_on(async {
            let rig = keyed(at);
            let (mut led, kind) = (rig.lead().await, KINDS[at].0);
            let puts = (0_i64..).zip(&keys);
            let puts = puts.map(|(number, key)| rig.put(Row::new([key.clone(), Value::Int(number)])));
            assert_eq!(led.together(1, puts.collect()).await, None);
            let ask = ask("made", &[("id", kind)], &[("number", Kind::Int)]);
            let mut session = SqliteAudit::new(File::new(&rig.path())).connect().await.unwrap();
            let read = super::rig::keys(session.as_mut(), &ask, 2).await;
            let written: BTreeSet<_> = keys.iter().map(|key| Key::new([key.clone()])).collect();
            assert_eq!(read.iter().cloned().collect::<BTreeSet<_>>(), written);
            assert_eq!(read.len(), written.len());
            let written: Vec<_> = written.into_iter().collect();
            assert_eq!(session.find(&ask, &written).await.unwrap().len(), written.len());
        });
    }
}
