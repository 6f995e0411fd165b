//! `instep failures`: the keys that copies' services refused, and what to do about them.

use crate::cli::{FailuresCommand, Globals};
use crate::client::Client;
use crate::commands::asking::asking;
use crate::report::Report;
use crate::table::{Table, written};
use serde_json::{Value, json};

/// Lists, shows, tries again or discards.
pub fn run(globals: &Globals, command: &FailuresCommand) -> Report {
    asking(globals, command.url(), async |client: Client| match command {
        FailuresCommand::List { .. } => list(&client).await,
        FailuresCommand::Show { id, .. } => show(&client, id).await,
        FailuresCommand::Retry { id, .. } => {
            let answer = client.post(&format!("/v1/failures/{id}/retry")).await?;
            let report = Report::done(format!("{id} is tried again now")).with("", answer);
            Ok(report.next("see whether it has passed", "instep failures list"))
        }
        FailuresCommand::Discard { id, .. } => {
            let answer = client.post(&format!("/v1/failures/{id}/discard")).await?;
            let summary = format!("{id} is discarded; its row stays as the copy has it");
            Ok(Report::done(summary).with("", answer))
        }
    })
}

async fn list(client: &Client) -> Result<Report, Report> {
    let failures = all(client).await?;
    let mut table = Table::new(["id", "target", "table", "key", "since", "attempts", "reason"]);
    for failure in &failures {
        let fields = ["id", "target", "table", "key", "since", "attempts", "reason"];
        table.row(fields.map(|field| written(&failure[field])));
    }
    let text = table.to_string();
    let summary = match failures.len() {
        0 => "nothing is held back".to_owned(),
        1 => "1 key is held back".to_owned(),
        several => format!("{several} keys are held back"),
    };
    let report = Report::done(summary).with(text, json!({ "failures": failures }));
    match failures.first() {
        None => Ok(report),
        Some(first) => {
            let command = format!("instep failures retry {}", written(&first["id"]));
            Ok(report.next("try one again once its cause is mended", command))
        }
    }
}

async fn show(client: &Client, id: &str) -> Result<Report, Report> {
    let found = all(client).await?.into_iter().find(|failure| failure["id"] == id);
    let Some(failure) = found else {
        let what = format!("no key with the id {id} is held back");
        return Err(Report::usage(what, "`instep failures list` shows those that are"));
    };
    let fields = failure.as_object().into_iter().flatten();
    let text =
        fields.map(|(name, value)| format!("{name}: {}\n", written(value))).collect::<String>();
    Ok(Report::done(format!("{id}: {}", written(&failure["reason"]))).with(text, failure))
}

/// All pages.
async fn all(client: &Client) -> Result<Vec<Value>, Report> {
    let (mut found, mut path) = (Vec::new(), "/v1/failures".to_owned());
    loop {
        let mut answer = client.get(&path).await?;
        found.extend(answer["failures"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match answer["next"].as_str() {
            Some(next) => path = format!("/v1/failures?after={next}"),
            None => return Ok(found),
        }
    }
}
