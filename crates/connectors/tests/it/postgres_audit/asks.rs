//! What is asked of a table, as somebody who compares asks it.

use crate::postgres::rig::Database;
use instep_connectors::postgres::PostgresAudit;
use model::{Ask, Audit, Key, Looked, Selection, Service, Value, Wanted};

/// A connection to a database.
pub(super) async fn audit(database: &Database) -> Box<dyn Audit> {
    PostgresAudit::new(database.access.clone()).connect().await.unwrap()
}

/// A table that is there.
pub(super) async fn look(audit: &mut Box<dyn Audit>, table: &str) -> Looked {
    audit.look(&table.into()).await.unwrap().unwrap_or_else(|| panic!("there is no {table}"))
}

/// Everything of a table by these columns as its key, each as the kind that it has.
pub(super) async fn everything(audit: &mut Box<dyn Audit>, table: &str, key: &[&str]) -> Ask {
    let looked = look(audit, table).await;
    let wanted = |name: &str| {
        let column = looked.table.columns.iter().find(|it| &*it.name == name).unwrap();
        Wanted { name: name.into(), kind: column.kind }
    };
    let names = looked.table.columns.iter().map(|it| &*it.name);
    Ask {
        table: table.into(),
        key: key.iter().map(|name| wanted(name)).collect(),
        columns: names.filter(|name| !key.contains(name)).map(wanted).collect(),
        condition: None,
        from: None,
        seeds: [7, -9_000_000_000_000_000_000],
    }
}

/// A key of these values.
pub(super) fn key<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Key {
    Key::new(values.into_iter().map(Into::into))
}

/// What lies above the one key, and up to the other.
pub(super) fn between(after: Option<Key>, upto: Option<Key>) -> Selection {
    Selection::Range { after, upto }
}

/// Every key of a table, by cutting it into stretches of so many rows and reading each.
pub(super) async fn by_stretches(audit: &mut Box<dyn Audit>, ask: &Ask, rows: u64) -> Vec<Key> {
    let (mut keys, mut after) = (Vec::new(), None);
    loop {
        let upto = audit.cut(ask, after.as_ref(), rows).await.unwrap();
        let of = between(after, upto.clone());
        let listed = audit.rows(ask, &of, 10_000).await.unwrap();
        assert!(!listed.more);
        let sum = audit.sum(ask, &of).await.unwrap();
        assert_eq!(sum.rows, listed.found.len() as u64);
        keys.extend(listed.found.into_iter().map(|(key, _)| key));
        match upto {
            Some(_) => after = upto,
            None => return keys,
        }
    }
}
