//! `instep status`: how a running Instep is doing.

use crate::cli::{Globals, StatusArguments};
use crate::client::Client;
use crate::commands::asking::asking;
use crate::report::{Exit, Report};
use crate::table::{Table, written};
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often a state that is waited for is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// Asks, waits if it is to wait, and judges if it is to judge.
pub fn run(globals: &Globals, arguments: &StatusArguments) -> Report {
    asking(globals, arguments.url.as_deref(), async |client: Client| {
        let until = arguments.wait.map(|wait| Instant::now() + wait);
        loop {
            let status = client.get("/v1/status").await?;
            let state = status["state"].as_str().unwrap_or_default().to_owned();
            let is_due = until.is_none_or(|until| Instant::now() >= until);
            if state == "in_step" || is_due {
                let exit = verdict(&state, arguments.check, until.is_some());
                return Ok(told(&status, &state, exit));
            }
            sleep(LOOK_AGAIN).await;
        }
    })
}

fn verdict(state: &str, check: bool, waited: bool) -> Exit {
    match state {
        "in_step" => Exit::Done,
        _ if waited => Exit::TimedOut,
        _ if !check => Exit::Done,
        "diverged" => Exit::Differences,
        _ => Exit::Unverified,
    }
}

fn told(status: &Value, state: &str, exit: Exit) -> Report {
    let summary = match state {
        "in_step" => "every copy and count is in step with its source",
        "catching_up" => "changes are on their way",
        "diverged" => "some rows are known to differ from their source",
        _ if !list(&status["problems"]).is_empty() => {
            "not everything works now, and nothing was compared yet"
        }
        _ => "nothing is known to be wrong, and nothing was compared yet",
    };
    let mut text = text(status);
    // What ends otherwise than well says it beside the data.
    if exit == Exit::Done {
        text.push_str(&format!("\n{summary}\n"));
    }
    let report = Report::ended(exit, summary).with(text, status.clone());
    match state {
        "diverged" => report.next("see which rows, and why", "instep failures list"),
        _ => report,
    }
}

fn text(status: &Value) -> String {
    let mut sources = Table::new(["source", "service", "connected", "position"]);
    for source in list(&status["sources"]) {
        for service in list(&source["services"]) {
            let connected = if service["connected"] == true { "yes" } else { "no" };
            sources.row([
                written(&source["name"]),
                written(&service["name"]),
                connected.to_owned(),
                written(&service["position"]),
            ]);
        }
    }
    let names = ["copy", "of", "to", "phase", "state", "position", "behind", "failures"];
    let mut copies = Table::new(names);
    for copy in list(&status["copies"]) {
        let fields = ["name", "of", "to", "phase", "state", "position", "lag_changes", "failures"];
        copies.row(fields.map(|field| written(&copy[field])));
    }
    let mut fills = Table::new(["copy", "filled", "rows", "of about", "a second", "left"]);
    for copy in list(&status["copies"]).iter().filter(|copy| copy["progress"].is_object()) {
        fills.row(filled(&written(&copy["name"]), &copy["progress"]));
    }
    let mut counts = Table::new(["count", "state", "position"]);
    for count in list(&status["counts"]) {
        counts.row(["name", "state", "position"].map(|field| written(&count[field])));
    }
    let others = list(&status["copies"]).iter().filter_map(written_elsewhere).collect::<String>();
    let tables = [sources, copies, fills, counts];
    let mut parts: Vec<String> = tables.iter().map(ToString::to_string).collect();
    parts.retain(|part| !part.is_empty());
    let problem = |problem: &Value| {
        let [code, what, fix] = ["code", "what", "fix"].map(|field| written(&problem[field]));
        format!("{code}: {what}\n  fix: {fix}\n")
    };
    let problems: String = list(&status["problems"]).iter().map(problem).collect();
    parts.extend([others, problems].into_iter().filter(|part| !part.is_empty()));
    parts.join("\n")
}

/// Who writes a copy, where that is not this instance alone.
fn written_elsewhere(copy: &Value) -> Option<String> {
    let services: Vec<_> = list(&copy["elsewhere"]).iter().map(written).collect();
    let (name, services) = (written(&copy["name"]), services.join(" and "));
    let line = format!("{name}: another instance writes what comes from {services}\n");
    (!services.is_empty()).then_some(line)
}

/// How far a copy has come that is filled or bridged.
fn filled(name: &str, progress: &Value) -> [String; 6] {
    let number = |field: &str| progress[field].as_u64();
    let share = number("rows_done").zip(number("rows_estimated")).and_then(|(done, all)| {
        // An estimate is none: it is not full before it says so.
        done.min(all).saturating_mul(100).checked_div(all).map(|share| share.min(99))
    });
    [
        name.to_owned(),
        share.map_or_else(|| "-".to_owned(), |share| format!("{share} %")),
        written(&progress["rows_done"]),
        written(&progress["rows_estimated"]),
        written(&progress["rows_per_second"]),
        number("eta_seconds").map_or_else(|| "-".to_owned(), span),
    ]
}

/// A time that something takes, as people say it.
fn span(seconds: u64) -> String {
    match (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, ..) => format!("{days} d {hours} h"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_filled_says_how_far_it_is() {
        let known = serde_json::json!({"rows_done": 450, "rows_estimated": 1000,
            "rows_per_second": 5, "eta_seconds": 110});
        assert_eq!(filled("a", &known), ["a", "45 %", "450", "1000", "5", "1 min 50 s"]);
        let more = serde_json::json!({"rows_done": 1200, "rows_estimated": 1000,
            "rows_per_second": 5, "eta_seconds": null});
        assert_eq!(filled("a", &more), ["a", "99 %", "1200", "1000", "5", "-"]);
        let unknown = serde_json::json!({"rows_done": null, "rows_estimated": null,
            "rows_per_second": null, "eta_seconds": null});
        assert_eq!(filled("a", &unknown)[1..], ["-"; 5]);
        let spans = [0, 59, 3_599, 3_600, 90_000].map(span);
        assert_eq!(spans, ["0 s", "59 s", "59 min 59 s", "1 h 0 min", "1 d 1 h"]);
    }

    #[test]
    fn only_what_was_compared_is_good() {
        use Exit::{Differences, Done, TimedOut, Unverified};
        for (state, check, waited, exit) in [
            ("in_step", true, true, Done),
            ("diverged", true, false, Differences),
            ("unverified", true, false, Unverified),
            ("catching_up", true, false, Unverified),
            ("something new", true, false, Unverified),
            ("diverged", false, false, Done),
            ("unverified", true, true, TimedOut),
        ] {
            assert_eq!(verdict(state, check, waited), exit, "{state}");
        }
    }
}
