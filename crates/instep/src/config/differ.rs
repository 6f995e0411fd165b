//! PURE: what differs between two configurations, by the paths of their keys.

use super::secret::MASK;
use super::setting::{Setting, Value};
use super::shape::seconds;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// A key that the two have different values for; none where one of them lacks it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The keys that lead to it, with dots between them.
    pub path: String,
    /// Its value in the first.
    pub left: Option<String>,
    /// Its value in the second.
    pub right: Option<String>,
}

/// Every key with different values. Paths are compared as they are written, because each is
/// relative to its own configuration; secrets by what they are, and shown as neither.
pub fn differ(left: &Setting, right: &Setting) -> Vec<Difference> {
    let (left, right) = (leaves(left), leaves(right));
    let paths: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let differing = paths.into_iter().filter(|path| left.get(*path) != right.get(*path));
    let shown = |leaf: Option<&Leaf>| leaf.map(Leaf::shown);
    differing
        .map(|path| Difference {
            path: path.clone(),
            left: shown(left.get(path)),
            right: shown(right.get(path)),
        })
        .collect()
}

/// A single value: its text, and what is shown of it.
#[derive(PartialEq, Eq)]
struct Leaf {
    text: String,
    shown: Option<String>,
}

impl Leaf {
    fn shown(&self) -> String {
        self.shown.as_ref().unwrap_or(&self.text).clone()
    }
}

fn leaves(settings: &Setting) -> BTreeMap<String, Leaf> {
    let mut found = BTreeMap::new();
    gather(settings, String::new(), &mut found);
    found
}

fn gather(setting: &Setting, path: String, found: &mut BTreeMap<String, Leaf>) {
    let text = match &setting.value {
        Value::Map(entries) => {
            for entry in entries {
                let dot = if path.is_empty() { "" } else { "." };
                gather(&entry.setting, format!("{path}{dot}{}", entry.name), found);
            }
            return;
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                gather(item, format!("{path}[{index}]"), found);
            }
            return;
        }
        Value::Text(text, _) | Value::Path(text) => text.clone(),
        Value::Whole(number) => number.to_string(),
        Value::Seconds(time) => seconds(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        Value::Flag(flag) => flag.to_string(),
        Value::Secret(secret) => secret.reveal().to_owned(),
        Value::Url(url) => url.reveal().to_owned(),
        Value::Bad => return,
    };
    let shown = match &setting.value {
        Value::Secret(_) => Some(MASK.to_owned()),
        Value::Url(url) => Some(url.shown()),
        _ => None,
    };
    found.insert(path, Leaf { text, shown });
}
