//! `instep counts`: which counts a running Instep has, and what they are.

use crate::cli::{CountsArguments, Globals};
use crate::client::Client;
use crate::commands::asking::asking;
use crate::report::Report;
use crate::table::{Table, written};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// Asks for all counts, or for the numbers of one.
pub fn run(globals: &Globals, arguments: &CountsArguments) -> Report {
    asking(globals, arguments.url.as_deref(), async |client: Client| match &arguments.name {
        None => all(&client.get("/v1/counts").await?),
        Some(name) => one(&client, name, arguments).await,
    })
}

fn all(answer: &Value) -> Result<Report, Report> {
    let counts = answer["counts"].as_array().map_or(&[][..], Vec::as_slice);
    let mut table = Table::new(["count", "by", "state", "position"]);
    for count in counts {
        let by = count["by"].as_array().map_or(&[][..], Vec::as_slice);
        let by: Vec<_> = by.iter().map(written).collect();
        let by = by.join(", ");
        table.row([
            written(&count["name"]),
            by,
            written(&count["state"]),
            written(&count["position"]),
        ]);
    }
    let summary = format!("{} counts", counts.len());
    Ok(Report::done(summary).with(table.to_string(), answer.clone()))
}

/// All pages of one count.
async fn one(client: &Client, name: &str, arguments: &CountsArguments) -> Result<Report, Report> {
    let mut query: Vec<String> = Vec::new();
    for asked in &arguments.group {
        let Some((column, value)) = asked.split_once('=') else {
            let what = format!("{asked:?} does not say which column has which value");
            return Err(Report::usage(what, "write COLUMN=VALUE, or COLUMN.is=null"));
        };
        query.push(format!("{}={}", encoded(column), encoded(value)));
    }
    if let Some(position) = &arguments.at_least {
        query.push(format!("at_least={}", encoded(position)));
    }
    let wait = arguments.wait.unwrap_or_default();
    if arguments.wait.is_some() {
        query.push(format!("wait={}ms", wait.as_millis()));
    }
    let (mut found, mut next) = (Vec::new(), None::<String>);
    loop {
        let after = next.take().map(|next| format!("after={}", encoded(&next)));
        let query: Vec<_> = query.iter().cloned().chain(after).collect();
        let path = format!("/v1/counts/{}?{}", encoded(name), query.join("&"));
        let mut answer = client.get_within(&path, wait).await?;
        if let Some(value) = answer.get("value") {
            let text = format!("{value}\n");
            let summary = format!("{name} is {value} at {}", written(&answer["position"]));
            return Ok(Report::done(summary).with(text, answer));
        }
        found.extend(answer["values"].as_array_mut().map(std::mem::take).unwrap_or_default());
        next = answer["next"].as_str().map(str::to_owned);
        if next.is_none() {
            let summary = format!("{} groups of {name}", found.len());
            let text = groups(&found);
            answer["values"] = json!(found);
            return Ok(Report::done(summary).with(text, answer));
        }
    }
}

fn groups(found: &[Value]) -> String {
    let mut table = Table::new(["group", "value"]);
    for one in found {
        let group = one["group"].as_object().into_iter().flatten();
        let group: Vec<_> =
            group.map(|(column, value)| format!("{column}={}", written(value))).collect();
        table.row([group.join(" "), written(&one["value"])]);
    }
    table.to_string()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
