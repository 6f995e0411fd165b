//! PURE: the keys of a configuration as a JSON Schema, for editors that check while one types.

use super::keys::ROOT;
use super::shape::{ENTRIES_MAX, Form, Key, Kind, Presence, Shape};
use super::shape::{NAME_CHARS_MAX, TEXT_BYTES_MAX};
use serde_json::{Map, Value, json};

/// The schema of this version's configuration, in the dialect of 2020-12.
pub fn schema() -> Value {
    let mut schema = of(&ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Configuration of Instep");
    schema
}

fn of(shape: &Shape) -> Value {
    match shape {
        Shape::Text(form) => text(*form),
        Shape::Whole { min, max } => {
            or_variable(&json!({ "type": "integer", "minimum": min, "maximum": max }))
        }
        Shape::Seconds { millis_min, millis_max } => {
            let (min, max) = (seconds(*millis_min), seconds(*millis_max));
            or_variable(&json!({ "type": "number", "minimum": min, "maximum": max }))
        }
        Shape::Flag => or_variable(&json!({ "type": "boolean" })),
        Shape::Word { now, .. } => or_variable(&json!({ "enum": now })),
        Shape::Version => or_variable(&json!({ "const": 1 })),
        Shape::PostgresUrl => json!({ "type": "string", "maxLength": TEXT_BYTES_MAX,
            "pattern": format!("^postgres(ql)?://|{VARIABLE}") }),
        Shape::Secret(_) => json!({ "anyOf": [
            { "type": "string", "minLength": 1, "not": { "const": super::secret::MASK } },
            record(&[("file", text(Form::Path))], &["file"]),
        ] }),
        Shape::List(item) => json!({ "type": "array", "items": of(item), "maxItems": ENTRIES_MAX,
            "uniqueItems": true }),
        Shape::OneOrMore(item) => json!({ "anyOf": [of(item), { "type": "array", "minItems": 1,
            "items": of(item), "maxItems": ENTRIES_MAX, "uniqueItems": true }] }),
        Shape::Record(keys) => keyed(keys),
        Shape::Choice(kinds) => {
            let read = kinds.iter().filter(|kind| kind.key.is_read());
            json!({ "anyOf": read.map(chosen).collect::<Vec<_>>() })
        }
        Shape::Named(of_each) => json!({ "type": "object", "maxProperties": ENTRIES_MAX,
            "propertyNames": { "pattern": format!("^{}$", name()) },
            "additionalProperties": of(of_each) }),
        Shape::Columns => json!({ "type": "object", "maxProperties": ENTRIES_MAX,
            "additionalProperties": text(Form::Column) }),
    }
}

fn text(form: Form) -> Value {
    let mut schema = json!({ "type": "string", "maxLength": TEXT_BYTES_MAX, "minLength": 1 });
    match form {
        Form::Name => schema["pattern"] = json!(format!("^{}$|{VARIABLE}", name())),
        Form::Reference => schema["pattern"] = json!(format!("^[^/]+/.+$|{VARIABLE}")),
        Form::Address => schema["pattern"] = json!(format!("^.+:[0-9]{{1,5}}$|{VARIABLE}")),
        Form::Path | Form::Table | Form::Column | Form::Condition => {}
    }
    schema
}

fn name() -> String {
    format!("[a-z0-9][a-z0-9_-]{{0,{}}}", NAME_CHARS_MAX - 1)
}

/// A value that may come from a variable instead, as text.
fn or_variable(schema: &Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "pattern": VARIABLE }] })
}

const VARIABLE: &str = "\\$\\{";

/// The key of a kind, and what may stand beside it.
fn chosen(kind: &Kind) -> Value {
    let keys = std::iter::once(&kind.key).chain(kind.beside);
    let properties: Vec<_> = keys.map(|key| (key.name, property(key))).collect();
    record(&properties, &[kind.key.name])
}

fn keyed(keys: &[Key]) -> Value {
    let read = || keys.iter().filter(|key| key.is_read());
    let properties: Vec<(&str, Value)> = read().map(|key| (key.name, property(key))).collect();
    let required = read().filter(|key| key.presence == Presence::Required).map(|key| key.name);
    record(&properties, &required.collect::<Vec<_>>())
}

fn property(key: &Key) -> Value {
    let mut schema = of(&key.shape);
    schema["description"] = json!(key.about);
    if let Presence::Default(text) = key.presence {
        // A number or a truth reads as JSON, and a word or path does not.
        let value = serde_json::from_str(text);
        schema["default"] = value.unwrap_or_else(|_| json!(text));
    }
    schema
}

fn record(properties: &[(&str, Value)], required: &[&str]) -> Value {
    let properties = properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone()));
    let mut schema = json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn seconds(millis: u64) -> Value {
    serde_json::from_str(&super::shape::seconds(millis)).unwrap_or_default()
}
