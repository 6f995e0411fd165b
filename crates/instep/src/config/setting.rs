//! Settings: a configuration as it holds, with variables in place and defaults filled in.

use super::secret::Secret;
use super::span::{Mark, Span};
use super::url::Url;
use std::time::Duration;

/// One value as it holds.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Where it stands, or where the key would stand that it is the default of.
    pub span: Span,
    /// The value.
    pub value: Value,
}

/// A value by its shape.
#[derive(Clone, Debug)]
pub enum Value {
    /// Text, with the place of its first character if it stands in the file as it is.
    Text(String, Option<Mark>),
    /// A path as it was written, with variables in place.
    Path(String),
    /// A whole number.
    Whole(u64),
    /// A stretch of time.
    Seconds(Duration),
    /// True or false.
    Flag(bool),
    /// What is never shown.
    Secret(Secret),
    /// Where a server is, without its password when it is shown.
    Url(Url),
    /// A list.
    List(Vec<Setting>),
    /// Keys or names with their values.
    Map(Vec<Entry>),
    /// A value that could not be read; trouble says why.
    Bad,
}

/// A key or name with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key or name.
    pub name: String,
    /// Where it stands.
    pub at: Span,
    /// Its value.
    pub setting: Setting,
}

impl Setting {
    /// The value under a key.
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.entries().iter().find(|entry| entry.name == name).map(|entry| &entry.setting)
    }

    /// The value under a path of keys with dots between them.
    pub fn find(&self, path: &str) -> Option<&Setting> {
        path.split('.').try_fold(self, |setting, name| setting.get(name))
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Setting] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text or path that it is.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) | Value::Path(text) => Some(text),
            _ => None,
        }
    }

    /// The number that it is.
    pub fn whole(&self) -> Option<u64> {
        match &self.value {
            Value::Whole(number) => Some(*number),
            _ => None,
        }
    }

    /// The time that it is.
    pub fn duration(&self) -> Option<Duration> {
        match &self.value {
            Value::Seconds(duration) => Some(*duration),
            _ => None,
        }
    }

    /// Whether it is `true`.
    pub fn flag(&self) -> Option<bool> {
        match &self.value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The URL that it is.
    pub fn url(&self) -> Option<&Url> {
        match &self.value {
            Value::Url(url) => Some(url),
            _ => None,
        }
    }

    /// The secret that it is.
    pub fn secret(&self) -> Option<&Secret> {
        match &self.value {
            Value::Secret(secret) => Some(secret),
            _ => None,
        }
    }
}
