//! The full comparison: waits until everything has come to where the shards are, then reads it all.
//!
//! Nobody writes any more, so that what is read stays true. A wait that takes too long is an error of
//! its own, and never a difference: whoever has not come that far can not be compared.

use super::compare::Read;
use super::files::SHARDS;
use super::instance::Instance;
use super::numbers::{Numbers, of};
use super::plan::LAST;
use super::side::Side;
use super::stage::Stage;
use super::verdict::Compared;
use crate::client::Client;
use crate::problem::Problem;
use crate::report::{Exit, Report};
use model::Code;
use serde_json::Value;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long Instep may take to come to the last change.
const PATIENCE: Duration = Duration::from_secs(180);

/// How long one request waits for it.
const WAIT: Duration = Duration::from_secs(5);

/// How often something that is not there yet is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits for the last change everywhere, and compares everything.
pub(super) async fn compare(stage: &mut Stage) -> Result<Compared, Report> {
    let until = Instant::now() + PATIENCE;
    let position = position(stage, until).await?;
    let api = told(stage, &position, until).await?;
    arrived(stage, until).await?;
    let (today, followed) = (read(&stage.today).await?, read(&stage.followed).await?);
    Ok(Compared::new(&today, &followed, &api, &position))
}

/// Where the shards are. A writer can learn it once Instep has begun to follow them.
async fn position(stage: &mut Stage, until: Instant) -> Result<String, Report> {
    loop {
        match stage.followed.files.position() {
            Ok(position) => return Ok(position),
            Err(error) => {
                let what = "Instep does not follow the shards";
                wait(stage, until, what, &error.to_string()).await?;
            }
        }
    }
}

/// What Instep answers at this position of the shards.
async fn told(stage: &mut Stage, position: &str, until: Instant) -> Result<Numbers, Report> {
    let path = format!("/v1/counts/questions?at_least={position}&wait={}s", WAIT.as_secs());
    loop {
        let why = match ask(&stage.instance, &path).await {
            Ok(answer) => match counts(&answer) {
                Some(numbers) => return Ok(numbers),
                None => format!("it answers {answer}"),
            },
            Err(why) => why,
        };
        let what = format!("Instep does not tell its count at {position}");
        wait(stage, until, &what, &why).await?;
    }
}

/// Waits until every service has counted the last questions, one of each shard: what Instep writes
/// comes in order, so that each then has everything before them.
async fn arrived(stage: &mut Stage, until: Instant) -> Result<(), Report> {
    loop {
        let answers = stage.followed.answers().await;
        let last = i64::try_from(SHARDS.len()).unwrap_or(i64::MAX);
        let has_come = |numbers: &Numbers| of(numbers, LAST) == last;
        if answers.iter().all(|answer| answer.as_ref().is_some_and(has_come)) {
            return Ok(());
        }
        let what = "the last change has not come to every service";
        wait(stage, until, what, &format!("they answer {answers:?}")).await?;
    }
}

/// Waits a moment, unless that makes no sense any more.
async fn wait(stage: &mut Stage, until: Instant, what: &str, why: &str) -> Result<(), Report> {
    if let Err(what) = stage.still_runs() {
        return Err(broken(&what, &stage.instance));
    }
    if Instant::now() < until {
        sleep(LOOK_AGAIN).await;
        return Ok(());
    }
    let what = format!("{what} after {} s, so nothing was compared", PATIENCE.as_secs());
    let why = format!("{why}; the log of Instep ends: {}", stage.instance.last_words());
    let fix = "run it again when the machine is less busy, with --keep DIR to see the whole log";
    let problem = Problem::new(Code::NotReached, what.clone(), why, fix);
    Err(Report::failed(Exit::TimedOut, what, vec![problem]))
}

async fn ask(instance: &Instance, path: &str) -> Result<Value, String> {
    let url = instance.url().ok_or("it is not ready")?;
    let client = Client::new(None, Some(url)).map_err(|report| report.summary)?;
    client.get_within(path, WAIT).await.map_err(|report| report.summary)
}

/// The numbers of an answer of Instep, by topic.
fn counts(answer: &Value) -> Option<Numbers> {
    let values = answer["values"].as_array()?.iter();
    let one = |value: &Value| {
        Some((value["group"]["topic"].as_str()?.to_owned(), value["value"].as_i64()?))
    };
    values.map(one).collect()
}

/// Reads everything of a platform.
async fn read(side: &Side) -> Result<Read, Report> {
    Ok(Read {
        source: side.files.source().map_err(|error| unreadable(&error))?,
        copy: side.files.copy().map_err(|error| unreadable(&error))?,
        answers: side.answers().await,
    })
}

fn unreadable(error: &rusqlite::Error) -> Report {
    let what = format!("a file of the demo can not be read: {error}");
    let why = "nothing can be compared with what can not be read";
    let fix = "look whether the disk is full, or somebody else uses the folder";
    Report::failed(
        Exit::Unverified,
        what.clone(),
        vec![Problem::new(Code::Unexpected, what, why, fix)],
    )
}

/// The demo could not go on.
pub(super) fn broken(what: &str, instance: &Instance) -> Report {
    let why = match instance.last_words() {
        empty if empty.is_empty() => "the demo can not go on without it".to_owned(),
        words => format!("the log of Instep ends: {words}"),
    };
    let fix = "run it again with --keep DIR, and look into DIR/instep.log";
    let problem = Problem::new(Code::Unexpected, what, why, fix);
    Report::failed(Exit::Unexpected, what, vec![problem])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_numbers_of_an_answer_are_read_by_topic() {
        let answer = json!({ "values": [{ "group": { "topic": "music" }, "value": 3 }] });
        assert_eq!(counts(&answer), Some(Numbers::from([("music".to_owned(), 3)])));
        for bad in [json!({}), json!({ "values": [{ "group": {}, "value": 3 }] })] {
            assert_eq!(counts(&bad), None);
        }
    }
}
