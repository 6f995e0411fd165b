//! A source and its copy, and what is wrong with the copy.

use super::cell::Cell;
use super::schema::Schema;
use super::store::{Hand, Kind};
use crate::rig::Chance;
use compare::{Difference, End, Kind as Wrong};
use model::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

/// A source and its copy.
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) schema: Schema,
    pub(super) source: Hand,
    pub(super) copy: Hand,
    pub(super) chance: Chance,
    /// The rows of the source, by the numbers of their keys.
    pub(super) rows: BTreeMap<u64, Vec<Cell>>,
    /// What is wrong, by what the number of its key is called.
    pub(super) wrong: BTreeMap<String, Wrong>,
    /// Numbers of keys that nobody but harm touches.
    pub(super) touched: Vec<u64>,
    folder: Arc<TempDir>,
}

pub(super) const TABLE: &str = "questions";

impl World {
    /// A world of this seed; none where there is no PostgreSQL.
    pub(super) async fn new(seed: u64, [of_source, of_copy]: [Kind; 2]) -> Option<Self> {
        let folder = Arc::new(tempfile::tempdir().expect("a folder"));
        let source = Hand::new(of_source, folder.path(), "source.db").await?;
        let copy = Hand::new(of_copy, folder.path(), "copy.db").await?;
        let mut chance = Chance::new(seed);
        let schema = Schema::new(&mut chance);
        let mut rows = BTreeMap::new();
        for _ in 0..*chance.one(&[1, 30, 300, 1_500]) {
            rows.insert(chance.below(4_000), schema.values(&mut chance));
        }
        for hand in [&source, &copy] {
            hand.run(&schema.create(TABLE, hand.kind())).await;
            let put = rows.iter().map(|(number, values)| {
                schema.put(TABLE, &schema.key(*number), values, hand.kind())
            });
            let put: Vec<_> = put.collect();
            hand.run(&format!("begin; {}; commit", put.join("; "))).await;
        }
        Some(Self {
            seed,
            schema,
            source,
            copy,
            chance,
            rows,
            wrong: BTreeMap::new(),
            touched: Vec::new(),
            folder,
        })
    }

    /// What a comparison is given.
    pub(super) fn ends(&self) -> [End; 2] {
        [&self.source, &self.copy].map(|hand| End {
            store: hand.audit(),
            table: hand.table(TABLE).as_str().into(),
            condition: None,
        })
    }

    /// A key of the source that nothing was done to.
    pub(super) fn sound(&mut self) -> Option<u64> {
        let sound: Vec<u64> =
            self.rows.keys().copied().filter(|it| !self.touched.contains(it)).collect();
        if sound.is_empty() { None } else { Some(*self.chance.one(&sound)) }
    }

    pub(super) async fn put(&self, hand: &Hand, number: u64, values: &[Cell]) {
        let key = self.schema.key(number);
        hand.run(&self.schema.put(TABLE, &key, values, hand.kind())).await;
    }

    pub(super) async fn take(&self, hand: &Hand, number: u64) {
        hand.run(&self.schema.take(TABLE, &self.schema.key(number), hand.kind())).await;
    }

    /// What the key of a number is called, whatever the store.
    pub(super) fn name(&self, number: u64) -> String {
        let key = self.schema.key(number).into_iter();
        key.map(Option::unwrap_or_default).collect::<Vec<_>>().join("|")
    }

    /// What the key of a difference is called.
    pub(super) fn name_of(&self, difference: &Difference) -> String {
        let text = |value: &Value| match value {
            Value::Text(text) => text.to_string(),
            Value::Int(int) => int.to_string(),
            Value::Uuid(bytes) => {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], {
                    &hex[20..]
                })
            }
            other => format!("{other:?}"),
        };
        difference.key.iter().map(|(_, value)| text(value)).collect::<Vec<_>>().join("|")
    }

    /// Undoes all harm. Whoever wrote has stopped, and the copy has all of it.
    pub(super) async fn mend(&self) {
        for number in &self.touched {
            match self.rows.get(number) {
                Some(values) => {
                    self.put(&self.source, *number, values).await;
                    self.put(&self.copy, *number, values).await;
                }
                None => self.take(&self.copy, *number).await,
            }
        }
        let _ = &self.folder;
    }
}
