//! What a count is, at a position or later, and what is said when there is no answer.

use crate::client::send;
use crate::rig::{Rig, Setup};
use model::{Cell, Op, Row, Value};
use serde_json::{Value as Json, json};
use std::time::Duration;
use testkit::conformance::rows::row;
use tokio::time::Instant;

#[tokio::test]
async fn one_number_comes_with_its_group_its_position_and_a_tag() {
    let rig = Rig::new().await;
    let null = Row(vec![Cell::from(3), Cell::Value(Value::Null), Cell::from("x")]);
    let rows = [row(1, 7, "one two"), row(2, 7, "é&="), null];
    let end = rig.change(rows.map(Op::Insert));
    rig.counted(end).await;
    let told = rig.get("/v1/counts/by_topic?topic=7").await;
    let mut view = told.json();
    let as_of = view["as_of"].take();
    // Where the rows were there before they were followed, the source has told no time yet.
    let is_time = |it: &str| it.ends_with('Z') && it.contains('T');
    assert!(as_of.is_null() || as_of.as_str().is_some_and(is_time), "{as_of}");
    assert_eq!(
        view,
        json!({"name": "by_topic", "group": {"topic": 7}, "value": 2, "position": end.to_string(),
               "as_of": null, "verified_through": null, "state": "unverified"})
    );
    for (path, group, value) in [
        ("all", json!({}), 3),
        ("by_topic?topic.is=null", json!({"topic": null}), 1),
        ("by_topic?topic=8", json!({"topic": 8}), 0),
        ("by_topic?topic=word", json!({"topic": "word"}), 0),
        ("by_both?topic=7&body=one+two", json!({"topic": 7, "body": "one two"}), 1),
        ("by_both?body=%C3%A9%26%3D&topic=7", json!({"topic": 7, "body": "é&="}), 1),
        ("by_both?body=7&topic.is=null", json!({"topic": null, "body": "7"}), 0),
    ] {
        let told = rig.get(&format!("/v1/counts/{path}")).await.json();
        assert_eq!((&told["group"], &told["value"]), (&group, &json!(value)), "{path}");
    }
}

#[tokio::test]
async fn a_tag_spares_the_answer_until_the_number_moves() {
    let rig = Rig::new().await;
    let end = rig.change([Op::Insert(row(1, 7, "body"))]);
    rig.counted(end).await;
    let path = "/v1/counts/by_topic?topic=7";
    let told = rig.get(path).await;
    let tag = told.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with('"'), "{tag} is a strong one");
    assert_eq!(told.header("cache-control"), Some("private, no-cache"));
    for known in [tag.clone(), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = send(rig.at, "GET", path, &[("if-none-match", &known)]).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()));
    }
    let other =
        send(rig.at, "GET", "/v1/counts/by_topic?topic=8", &[("if-none-match", &tag)]).await;
    assert_eq!(other.status, 200);
    let end = rig.change([Op::Insert(row(2, 7, "body"))]);
    rig.counted(end).await;
    let moved = send(rig.at, "GET", path, &[("if-none-match", &tag)]).await;
    assert_eq!((moved.status, &moved.json()["value"]), (200, &json!(2)));
}

#[tokio::test]
async fn pages_hold_every_group_once_in_order() {
    let rig = Rig::new().await;
    let end = rig.change(
        (0..25).map(|id| Op::Insert(row(id, id % 10, if id % 2 == 0 { "x" } else { "y" }))),
    );
    rig.counted(end).await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = rig.get(&format!("/v1/counts/by_both?limit=3{after}")).await.json();
        assert_eq!(page["position"], end.to_string());
        let values = page["values"].as_array().expect("a list");
        assert!(values.len() <= 3);
        seen.extend(values.iter().cloned());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 10);
    assert_eq!(seen[0], json!({"group": {"topic": 0, "body": "x"}, "value": 3}));
    let sum: i64 = seen.iter().filter_map(|it| it["value"].as_i64()).sum();
    assert_eq!(sum, 25);
    let page = rig.get("/v1/counts/by_both?body=y").await.json();
    let topics: Vec<_> =
        page["values"].as_array().expect("a list").iter().map(|it| &it["group"]["topic"]).collect();
    assert_eq!(topics, [1, 3, 5, 7, 9]);
    assert_eq!(page["next"], Json::Null);
    let other = rig.get("/v1/counts/by_both?limit=1").await.json();
    let path = format!("/v1/counts/by_topic?after={}", other["next"].as_str().expect("a cursor"));
    assert_eq!(rig.get(&path).await.problem(), "E-REQUEST-MALFORMED", "of another count");
}

#[tokio::test]
async fn a_number_is_not_told_before_the_position_that_is_asked_for() {
    let rig = Rig::new().await;
    let end = rig.change([Op::Insert(row(1, 7, "body"))]);
    rig.counted(end).await;
    let next = end + 1;
    let early = rig.get(&format!("/v1/counts/all?at_least={next}")).await;
    assert_eq!((early.status, early.problem().as_str()), (503, "E-NOT-REACHED"));
    assert_eq!(early.header("retry-after"), Some("1"));
    assert!(early.json()["detail"].as_str().is_some_and(|it| it.contains(&format!("at {end}"))));
    let began = Instant::now();
    let waited = rig.get(&format!("/v1/counts/all?at_least={next}&wait=300ms")).await;
    assert_eq!(waited.status, 503);
    assert!(began.elapsed() >= Duration::from_millis(300));
    let (at, path) = (rig.at, format!("/v1/counts/all?at_least=a:{next}&wait=20s"));
    let waiting = tokio::spawn(async move { crate::client::get(at, &path).await });
    tokio::task::yield_now().await;
    rig.change([Op::Insert(row(2, 7, "body"))]);
    let told = waiting.await.expect("a reply");
    assert_eq!((told.status, &told.json()["value"]), (200, &json!(2)));
    // A reader has its own write: each sees what it wrote.
    for id in 10..30 {
        let end = rig.change([Op::Insert(row(id, 9, "body"))]);
        let path = format!("/v1/counts/by_topic?topic=9&at_least={end}&wait=10s");
        assert_eq!(rig.get(&path).await.json()["value"], id - 9);
    }
}

#[tokio::test]
async fn shards_are_summed_and_their_positions_are_named() {
    let shards = vec!["a", "b"];
    let rig = Rig::with(Setup { shards, copies: false, ..Setup::default() }).await;
    let a = rig.change_in(0, [Op::Insert(row(1, 7, "body"))]);
    let b = rig.change_in(1, (10..13).map(|id| Op::Insert(row(id, 7, "body"))));
    let both = format!("a:{a},b:{b}");
    let path = format!("/v1/counts/by_topic?topic=7&at_least={both}&wait=30s");
    let told = rig.until(&path, |_| true).await;
    assert_eq!((&told["value"], &told["position"]), (&json!(4), &json!(both)));
    for text in ["b:1", "a:1", "b:1,a:1"] {
        let path = format!("/v1/counts/all?at_least={text}");
        assert_eq!(rig.get(&path).await.json()["value"], 4, "{text}");
    }
    for text in ["1", "c:1", "a:1,a:2", "a:x", "a:", ""] {
        let reply = rig.get(&format!("/v1/counts/all?at_least={text}")).await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (400, "E-REQUEST-MALFORMED"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_with_what_is_right() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    for query in [
        "topic=1&topic=2",
        "topic=1&topic.is=null",
        "topic.is=7",
        "topik=1",
        "topic=%",
        "topic=%FF",
        "wait=31s",
        "wait=soon",
        "at_least=x",
        "limit=0",
        "limit=1001",
        "after=x",
    ] {
        let reply = rig.get(&format!("/v1/counts/by_topic?{query}")).await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (400, "E-REQUEST-MALFORMED"),
            "{query}"
        );
    }
    let reply = rig.get("/v1/counts/by_both?topik=1").await;
    let detail = reply.json()["detail"].as_str().expect("a detail").to_owned();
    assert!(detail.contains("topic, body"), "{detail}");
    let reply = rig.get("/v1/counts/by_topik").await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "E-COUNT-UNKNOWN"));
    assert_eq!(reply.json()["detail"], "there is no count by_topik; is it by_topic?");
    let reply = rig.get("/v1/counts/%F0%9F%A6%80").await;
    assert_eq!(reply.json()["detail"], "there is no count 🦀");
    let reply = rig.get("/v1/counts/%FF").await;
    assert_eq!((reply.status, reply.problem().as_str()), (400, "E-REQUEST-MALFORMED"));
}

#[tokio::test]
async fn a_count_that_is_not_filled_or_has_stopped_gives_no_number() {
    let mut rig = Rig::with(Setup { runs: false, groups_max: 3, ..Setup::default() }).await;
    for path in ["/v1/counts/all", "/v1/counts/by_topic", "/v1/counts/by_topic?topic=7"] {
        let reply = rig.get(path).await;
        assert_eq!((reply.status, reply.problem().as_str()), (503, "E-COUNT-NOT-READY"), "{path}");
        assert_eq!(reply.header("retry-after"), Some("1"));
    }
    rig.run();
    let end = rig.change((0..5).map(|id| Op::Insert(row(id, id, "body"))));
    rig.counted(end).await;
    let reply = rig.get("/v1/counts/by_topic?topic=1").await;
    assert_eq!((reply.status, reply.problem().as_str()), (503, "E-COUNT-GROUPS"));
    let status = rig.get("/v1/status").await.json();
    let codes: Vec<_> =
        status["problems"].as_array().expect("a list").iter().map(|it| &it["code"]).collect();
    assert_eq!(codes, ["E-COUNT-GROUPS", "E-COUNT-GROUPS"], "both counts that group: {status}");
}

#[tokio::test]
async fn many_ask_at_once_while_rows_change_and_every_answer_is_exact() {
    let rig = Rig::new().await;
    rig.counted(rig.change([Op::Insert(row(0, 7, "body"))])).await;
    let first = rig.change([Op::Insert(row(1, 7, "body"))]);
    let at = rig.at;
    let asking: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut told = Vec::new();
                for _ in 0..40 {
                    let path = format!("/v1/counts/by_topic?topic=7&at_least={first}&wait=10s");
                    told.push(crate::client::get(at, &path).await.json());
                }
                told
            })
        })
        .collect();
    // Each transaction adds one row and takes one step.
    let mut truth = std::collections::BTreeMap::from([(first, 2)]);
    for id in 2..120 {
        truth.insert(rig.change([Op::Insert(row(id, 7, "body"))]), id + 1);
        tokio::task::yield_now().await;
    }
    for asking in asking {
        for told in asking.await.expect("answers") {
            let position: u64 = told["position"].as_str().expect("text").parse().expect("a number");
            let expected = truth.range(..=position).next_back().map(|(_, value)| *value);
            assert_eq!(told["value"].as_i64(), expected, "at {position}");
        }
    }
}
