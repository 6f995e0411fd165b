//! What the doctor says beside an Instep that runs, or has run.

use super::seen::{agrees, checks, found};
use crate::rig::{ITEM, Rig};
use serde_json::Value;
use std::fs;

fn look(rig: &Rig) -> (i32, Value) {
    let output = rig.command(&["--json", "doctor"]);
    let json = serde_json::from_slice(&output.stdout).unwrap();
    (output.status.code().unwrap(), json)
}

fn finds(rig: &Rig, exit: i32, expected: &[&str]) -> Value {
    let (code, json) = look(rig);
    agrees(code, &json, exit, expected);
    json
}

#[tokio::test]
async fn one_that_runs_is_told_and_not_disturbed() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    let json = finds(&rig, 0, &[]);
    assert_eq!(
        (&json["data"]["running"], &json["data"]["pid"]),
        (&true.into(), &running.id().into())
    );
    assert!(found(&json, "data_dir", "role").contains("an Instep runs"), "{json:#}");
    assert!(found(&json, "source", "role").contains("triggers are all there"), "{json:#}");
    assert!(found(&json, "target", "role").contains("shop/source at "), "{json:#}");
    assert!(checks(&json, "source").iter().any(|it| it["layer"] == "identity"));
    rig.sell(301, 310);
    rig.converges().await;
    running.stop().await;
    assert_eq!(finds(&rig, 0, &[])["data"]["running"], false);
}

#[tokio::test]
async fn another_file_behind_the_address_is_found_until_a_person_adopts_it() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
    rig.remove("source.db");
    rig.write("source.db", &format!("pragma journal_mode = wal; {ITEM}"));
    rig.sell(1, 5);
    let json = finds(&rig, 3, &["E-SOURCE-CHANGED"]);
    let identity = checks(&json, "source").iter().find(|it| it["layer"] == "identity").unwrap();
    assert!(identity["fix"].as_str().unwrap().contains("source adopt shop"), "{json:#}");
    assert!(identity["evidence"].as_str().unwrap().contains("never followed"), "{json:#}");
    assert!(rig.command(&["source", "adopt", "shop"]).status.success());
    let json = finds(&rig, 0, &[]);
    assert!(found(&json, "source", "identity").contains("adopted"), "{json:#}");
}

#[tokio::test]
async fn triggers_that_a_migration_has_lost_are_warned_of() {
    let rig = Rig::shop();
    let running = rig.run().await;
    rig.converges().await;
    running.stop().await;
    rig.write(
        "source.db",
        "alter table item rename to old;
         create table item (id integer primary key, kind text not null, title text);
         insert into item select * from old; drop table old;",
    );
    let json = finds(&rig, 0, &["W-SOURCE-TRIGGERS"]);
    assert!(found(&json, "source", "role").contains("item"), "{json:#}");
}

#[tokio::test]
async fn one_that_runs_elsewhere_than_it_is_asked_is_found() {
    let rig = Rig::shop();
    let _running = rig.run().await;
    rig.converges().await;
    let config = fs::read_to_string(rig.path("instep.yaml")).unwrap();
    // Port 9 is for what answers nobody, and is left alone by everybody.
    let config = config.replace("listen: 127.0.0.1:0", "listen: 127.0.0.1:9");
    fs::write(rig.path("instep.yaml"), config).unwrap();
    let json = finds(&rig, 3, &["E-API-UNREACHABLE"]);
    assert_eq!(json["data"]["running"], true);
}

#[tokio::test]
async fn a_file_that_another_instep_follows_is_found() {
    let rig = Rig::shop();
    let _running = rig.run().await;
    rig.converges().await;
    let config = fs::read_to_string(rig.path("instep.yaml")).unwrap();
    fs::write(rig.path("instep.yaml"), config.replace("data_dir: data", "data_dir: other"))
        .unwrap();
    let json = finds(&rig, 3, &["E-SOURCE-FOLLOWED"]);
    assert!(found(&json, "source", "identity").contains("another Instep"), "{json:#}");
}

#[tokio::test]
async fn what_the_one_that_runs_knows_to_be_wrong_is_told() {
    let rig = Rig::shop();
    let config = fs::read_to_string(rig.path("instep.yaml")).unwrap();
    // An address of its own, so that the port is nobody else's.
    let [high, low] = [std::process::id() >> 8 & 0xff, std::process::id() & 0xff];
    let listen = format!("listen: 127.99.{high}.{low}:7171");
    let config = config.replace("listen: 127.0.0.1:0", &listen);
    fs::write(rig.path("instep.yaml"), config).unwrap();
    let running = rig.run().await;
    rig.converges().await;
    let json = finds(&rig, 0, &[]);
    assert!(found(&json, "listen", "capability").contains("nothing"), "{json:#}");
    rig.write("source.db", "drop table item");
    rig.logs("E-TABLE-MISSING").await;
    let (code, json) = look(&rig);
    assert_eq!(code, 3, "{json:#}");
    assert!(found(&json, "listen", "capability").contains("item"), "{json:#}");
    running.stop().await;
}
