//! PURE: settings as YAML and as JSON, with paths from the root and secrets masked.

use super::node::Scalar;
use super::secret::MASK;
use super::setting::{Setting, Value};
use super::shape::seconds;
use super::surroundings::Surroundings;
use super::variables::escape;
use serde_json::{Map, Number, Value as Json};
use std::fmt::Write as _;

/// Settings as YAML that can be read again, but for secrets.
pub fn to_yaml(settings: &Setting, around: &Surroundings) -> String {
    let mut yaml = String::new();
    block(settings, around, 0, &mut yaml);
    yaml
}

/// Settings as JSON.
pub fn to_json(settings: &Setting, around: &Surroundings) -> Json {
    match &settings.value {
        Value::List(items) => items.iter().map(|item| to_json(item, around)).collect(),
        Value::Map(entries) => {
            let json = |setting| to_json(setting, around);
            let entries = entries.iter().map(|entry| (entry.name.clone(), json(&entry.setting)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Value::Whole(number) => Json::from(*number),
        Value::Flag(flag) => Json::from(*flag),
        Value::Seconds(time) => {
            let number = Number::from_f64(time.as_secs_f64()).filter(|_| time.subsec_nanos() > 0);
            number.map_or(Json::from(time.as_secs()), Json::Number)
        }
        _ => Json::from(plain(&settings.value, around)),
    }
}

/// A text as it stands in a configuration, so that it is read as that text and as nothing else.
pub(crate) fn yaml_text(text: &str) -> String {
    scalar(&escape(text))
}

/// A single value as text, masked if it is a secret.
pub(super) fn plain(value: &Value, around: &Surroundings) -> String {
    match value {
        Value::Text(text, _) => text.clone(),
        Value::Path(written) => around.path(written).display().to_string(),
        Value::Whole(number) => number.to_string(),
        Value::Seconds(time) => seconds(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        Value::Flag(flag) => flag.to_string(),
        Value::Secret(_) => MASK.to_owned(),
        Value::Url(url) => url.shown(),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
        Value::Bad => String::new(),
    }
}

/// The entries of a map or list, each in lines of its own, indented by so many spaces.
fn block(settings: &Setting, around: &Surroundings, indent: usize, yaml: &mut String) {
    for entry in settings.entries() {
        let _ = write!(yaml, "{:indent$}{}:", "", scalar(&entry.name));
        after(&entry.setting, around, indent, yaml);
    }
    for item in settings.items() {
        if item.entries().is_empty() && item.items().is_empty() {
            let _ = write!(yaml, "{:indent$}-", "");
            after(item, around, indent, yaml);
        } else {
            // The first line of the item stands behind the dash.
            let mut lines = String::new();
            block(item, around, indent + 2, &mut lines);
            let _ = write!(yaml, "{:indent$}- {}", "", lines.trim_start());
        }
    }
}

/// A value after its key, or a single one after its dash.
fn after(setting: &Setting, around: &Surroundings, indent: usize, yaml: &mut String) {
    if setting.entries().is_empty() && setting.items().is_empty() {
        let text = plain(&setting.value, around);
        let text = match &setting.value {
            Value::Text(..) | Value::Path(_) | Value::Secret(_) | Value::Url(_) => {
                scalar(&escape(&text))
            }
            _ => text,
        };
        let _ = writeln!(yaml, " {text}");
    } else {
        yaml.push('\n');
        block(setting, around, indent + 2, yaml);
    }
}

/// A text as YAML: plain where it can only be read as that text, else in quotes.
fn scalar(text: &str) -> String {
    let plain = Scalar { text: text.to_owned(), plain: true, verbatim: None };
    let tame = |c: char| c.is_ascii_alphanumeric() || "_-./".contains(c);
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/');
    if begins && text.chars().all(tame) && plain.kind() == "text" {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\u{fe00}'..='\u{ffff}' | '\u{2028}' | '\u{2029}' => escaped(c, &mut quoted),
            c if c.is_control() => escaped(c, &mut quoted),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn escaped(c: char, text: &mut String) {
    let _ = write!(text, "\\u{:04x}", u32::from(c));
}
