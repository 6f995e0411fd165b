//! PURE: the page on the HTTP API, made of the document that the API has of itself.

use serde_json::{Map, Value};
use std::fmt::Write as _;

/// The page after its heading, from the document in JSON.
pub(super) fn body(document: &str) -> String {
    let document: Value = serde_json::from_str(document).expect("BUG: a document is JSON");
    let mut page = format!("{API}\n\n| route | role | what it tells or does |\n|---|---|---|\n");
    let routes: Vec<_> = routes(&document).collect();
    for route in &routes {
        let (title, role, about) = (route.title(), route.role(), text(&route.operation["summary"]));
        let _ = writeln!(page, "| [{title}](#{}) | {role} | {about} |", anchor(&title));
    }
    for route in &routes {
        route.describe(&mut page);
    }
    page.push_str("\n## Fields\n");
    for (name, schema) in fields(&document["components"]["schemas"]) {
        describe(name, schema, &mut page);
    }
    page
}

const API: &str = "Every instance describes itself at `/openapi.json` (OpenAPI 3.1), of which this page is \
made. Without `auth` it answers this machine alone. With tokens each request carries `Authorization: \
Bearer TOKEN`: a viewer may look, an operator may also decide. Fields are added over time, never changed. \
What can not be answered is `application/problem+json` with a [code](errors.md).";

/// A method of a path.
struct Route<'a> {
    method: String,
    path: &'a str,
    operation: &'a Value,
}

fn routes(document: &Value) -> impl Iterator<Item = Route<'_>> {
    fields(&document["paths"]).flat_map(|(path, methods)| {
        fields(methods).map(move |(method, operation)| Route {
            method: method.to_uppercase(),
            path,
            operation,
        })
    })
}

impl Route<'_> {
    fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Who may: the guard in front of the routes wants the same.
    fn role(&self) -> &'static str {
        let wants_token =
            list(&self.operation["security"]).iter().any(|it| it.get("token").is_some());
        match (wants_token, self.method.as_str()) {
            (false, _) => "anybody",
            (true, "GET") => "viewer",
            (true, _) => "operator",
        }
    }

    fn describe(&self, page: &mut String) {
        let operation = self.operation;
        let _ = write!(page, "\n## {}\n\n{}", self.title(), text(&operation["summary"]));
        if let Some(more) = operation["description"].as_str() {
            let _ = write!(page, " {}", more.replace('\n', " "));
        }
        let _ = writeln!(page, " Role: {}.", self.role());
        let parameters = list(&operation["parameters"]);
        if !parameters.is_empty() {
            page.push_str("\n| parameter | where | value | what it is for |\n|---|---|---|---|\n");
        }
        for parameter in parameters {
            let [name, place, about] = ["name", "in", "description"].map(|it| text(&parameter[it]));
            let kind = kind(&parameter["schema"]);
            let _ = writeln!(page, "| `{name}` | {place} | {kind} | {about} |");
        }
        page.push_str("\n| answer | body | when |\n|---|---|---|\n");
        for (status, answer) in fields(&operation["responses"]) {
            let body =
                fields(&answer["content"]).map(|(_, content)| kind(&content["schema"])).next();
            let (body, about) = (body.unwrap_or_default(), text(&answer["description"]));
            let _ = writeln!(page, "| {status} | {body} | {about} |");
        }
    }
}

/// A part of an answer, with what stands in it.
fn describe(name: &str, schema: &Value, page: &mut String) {
    let about = text(&schema["description"]).replace('\n', " ");
    let _ = writeln!(page, "\n### {}\n\n{about}", called(name));
    let rows: Vec<_> = fields(&schema["properties"]).collect();
    if !rows.is_empty() {
        page.push_str("\n| field | value | what it is |\n|---|---|---|\n");
    }
    for (field, value) in rows {
        let about = about_field(value).replace('\n', " ");
        let _ = writeln!(page, "| `{field}` | {} | {about} |", kind(value));
    }
    let words: Vec<_> =
        list(&schema["enum"]).iter().map(|word| format!("`{}`", text(word))).collect();
    if !words.is_empty() {
        let _ = writeln!(page, "\nOne of {}.", words.join(", "));
    }
    let either: Vec<_> = list(&schema["oneOf"]).iter().map(kind).collect();
    if !either.is_empty() {
        let _ = writeln!(page, "\nEither {}.", either.join(" or "));
    }
}

/// What a field says of itself, or of the one thing that it can be beside null.
fn about_field(schema: &Value) -> &str {
    let inner = list(&schema["oneOf"]).iter().map(|one| text(&one["description"]));
    let all = [text(&schema["description"])].into_iter().chain(inner);
    all.into_iter().find(|about| !about.is_empty()).unwrap_or_default()
}

/// What a value is, in words.
fn kind(schema: &Value) -> String {
    if let Some(path) = schema["$ref"].as_str() {
        let name = path.rsplit('/').next().unwrap_or(path);
        let called = called(name);
        return format!("[{called}](#{})", anchor(called));
    }
    let either: Vec<_> = list(&schema["oneOf"]).iter().map(kind).collect();
    if !either.is_empty() {
        return either.join(" or ");
    }
    let one = |name: &str| match (name, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        ("object", _) => "object".to_owned(),
        ("string", Some("date-time")) => "time".to_owned(),
        ("string", _) => "text".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        (other, _) => other.to_owned(),
    };
    match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => {
            names.iter().map(|name| one(text(name))).collect::<Vec<_>>().join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

/// How a part of an answer is called for people.
fn called(name: &str) -> &str {
    name.strip_suffix("View").unwrap_or(name)
}

/// The anchor that a heading is given where pages are shown.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

fn fields(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
