//! Two installations over one source: only one follows it, and a person says which.

use crate::rig::{Rig, Running, until};
use std::fs;
use std::process::{Command, Output};

/// Another configuration over the same source, with a data directory and a target of its own.
fn another(rig: &Rig, data_dir: &str) {
    let config = fs::read_to_string(rig.path("instep.yaml")).unwrap();
    let config = config.replace("data_dir: data", &format!("data_dir: {data_dir}"));
    let config = config.replace("sqlite: target.db", "sqlite: other.db");
    fs::write(rig.path("other.yaml"), config).unwrap();
}

async fn run_another(rig: &Rig) -> Running {
    let mut command = rig.program();
    command.args(["--config", "other.yaml", "run"]);
    let mut running = Running::spawn(command, &rig.path("other.log"));
    running.ready(|| log(rig)).await;
    running
}

fn log(rig: &Rig) -> String {
    fs::read_to_string(rig.path("other.log")).unwrap_or_default()
}

async fn is_refused(rig: &Rig) {
    let is_refused = until("it is refused", || log(rig).contains("E-SOURCE-FOLLOWED"));
    assert!(is_refused.await, "{}", log(rig));
}

fn source(rig: &Rig, line: &[&str]) -> Output {
    rig.command(&[&["--json", "--config", "other.yaml", "source"], line].concat())
}

fn copied(rig: &Rig) -> Option<Vec<String>> {
    rig.ask("other.db", "select id from item order by id").filter(|rows| !rows.is_empty())
}

#[tokio::test]
async fn only_one_installation_follows_a_source_and_a_person_says_which() {
    let rig = Rig::shop();
    let first = rig.run().await;
    rig.converges().await;
    another(&rig, "other");
    let second = run_another(&rig).await;
    is_refused(&rig).await;
    let data = rig.path("data").canonicalize().unwrap();
    let (said, since) = (log(&rig), rig.ask("source.db", "select strftime('%Y', 'now')").unwrap());
    assert!(said.contains(data.to_str().unwrap()), "who: {said}");
    assert!(said.contains(&format!("since {}", since[0].trim_matches('\''))), "since when: {said}");
    rig.sell(301, 320);
    rig.converges().await;
    assert_eq!(copied(&rig), None, "nothing is read");
    // Nor may a third one take anything out.
    another(&rig, "third");
    let refused = source(&rig, &["detach", "shop"]);
    assert_eq!(refused.status.code(), Some(7), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stdout).contains("E-SOURCE-FOLLOWED"), "{refused:?}");
    // A person decides for the second one, which needs no restart.
    another(&rig, "other");
    assert!(!rig.log().contains("E-SOURCE-FOLLOWED"));
    let adopted = source(&rig, &["adopt", "shop"]);
    assert!(adopted.status.success(), "{adopted:?}");
    let is_followed = || copied(&rig).is_some_and(|rows| rows.len() == 320);
    assert!(until("the second one follows", is_followed).await, "{}", log(&rig));
    rig.sell(321, 330);
    rig.logs("E-SOURCE-FOLLOWED").await;
    let is_followed = || copied(&rig).is_some_and(|rows| rows.len() == 330);
    assert!(until("the second one goes on", is_followed).await, "{}", log(&rig));
    first.stop().await;
    second.stop().await;
    // And back to the first one, which has missed some.
    rig.write("source.db", "delete from item where id between 10 and 20");
    let adopted = rig.command(&["source", "adopt", "shop"]);
    assert!(adopted.status.success(), "{adopted:?}");
    let first = rig.run().await;
    rig.converges().await;
    first.stop().await;
}

#[tokio::test]
async fn a_source_that_was_detached_there_is_followed_here() {
    let rig = Rig::shop();
    let first = rig.run().await;
    rig.converges().await;
    another(&rig, "other");
    let second = run_another(&rig).await;
    is_refused(&rig).await;
    first.stop().await;
    let detached = rig.command(&["source", "detach", "shop"]);
    assert!(detached.status.success(), "{detached:?}");
    let is_followed = || copied(&rig).is_some_and(|rows| rows.len() == 300);
    assert!(until("the second one follows", is_followed).await, "{}", log(&rig));
    second.stop().await;
}

#[tokio::test]
async fn a_data_directory_that_was_moved_goes_on_and_an_older_copy_of_it_is_refused() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
    let mut copy = Command::new("cp");
    copy.arg("-r").args([rig.path("data"), rig.path("copied")]);
    assert!(copy.status().unwrap().success());
    fs::rename(rig.path("data"), rig.path("moved")).unwrap();
    let config = fs::read_to_string(rig.path("instep.yaml")).unwrap();
    fs::write(rig.path("instep.yaml"), config.replace("data_dir: data", "data_dir: moved"))
        .unwrap();
    rig.sell(301, 310);
    // Once more, so that the copy is of an earlier run.
    rig.run().await.stop().await;
    let running = rig.run().await;
    rig.converges().await;
    assert!(!rig.log().contains("E-SOURCE-FOLLOWED"), "{}", rig.log());
    fs::write(rig.path("other.yaml"), config.replace("data_dir: data", "data_dir: copied"))
        .unwrap();
    let copied = run_another(&rig).await;
    is_refused(&rig).await;
    copied.stop().await;
    rig.sell(311, 320);
    rig.converges().await;
    running.stop().await;
}
