//! Keys that a target refused: listed, tried again, discarded.

use crate::client::{raw, request, send};
use crate::rig::{Rig, Setup};
use model::{Op, Row};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use testkit::conformance::rows::{key, row};

#[tokio::test]
async fn a_failure_says_what_and_why_and_is_tried_again_at_once() {
    let rig = Rig::new().await;
    rig.change([Op::Insert(row(1, 7, "bad")), Op::Insert(row(2, 7, "good"))]);
    let list = rig.until("/v1/failures", |it| it["failures"][0]["next_retry"].is_string()).await;
    let failure = &list["failures"][0];
    assert_eq!((&failure["target"], &failure["table"]), (&json!("mirror"), &json!("questions")));
    assert_eq!((&failure["key"], &failure["reason"]), (&json!([1]), &json!("not this one")));
    for field in ["since", "next_retry"] {
        assert!(failure[field].as_str().is_some_and(|it| it.ends_with('Z')), "{field}");
    }
    assert_eq!(list["next"], Json::Null);
    let id = failure["id"].as_str().expect("an id");
    rig.store.set_rule(Arc::new(|_| None));
    let reply = rig.post(&format!("/v1/failures/{id}/retry")).await;
    assert_eq!((reply.status, reply.json()), (200, json!({"id": id, "status": "retrying"})));
    rig.until("/v1/failures", |it| it["failures"] == json!([])).await;
    rig.until("/v1/status", |it| it["state"] == "unverified").await;
    let reply = rig.post(&format!("/v1/failures/{id}/retry")).await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "E-FAILURE-UNKNOWN"));
}

#[tokio::test]
async fn a_discarded_failure_is_gone_and_its_row_stays_as_it_was() {
    let rig = Rig::new().await;
    rig.change([Op::Insert(row(1, 7, "good"))]);
    rig.until("/v1/copies", |it| it["copies"][0]["phase"] == "following").await;
    rig.change([Op::Update { before: key(1), row: row(1, 7, "bad") }]);
    let list = rig.until("/v1/failures", |it| it["failures"][0]["id"].is_string()).await;
    let id = list["failures"][0]["id"].as_str().expect("an id");
    let path = format!("/v1/failures/{id}/discard");
    let reply = rig.post(&path).await;
    assert_eq!((reply.status, reply.json()), (200, json!({"id": id, "status": "discarded"})));
    rig.until("/v1/failures", |it| it["failures"] == json!([])).await;
    let kept: Option<Row> =
        rig.store.look(|kept| Some(kept.rows[&"mirror".into()].get(&key(1))?.row.clone()));
    assert_eq!(kept, Some(row(1, 7, "good")));
    let reply = rig.post(&path).await;
    assert_eq!((reply.status, reply.problem().as_str()), (404, "E-FAILURE-UNKNOWN"));
}

#[tokio::test]
async fn pages_of_failures_hold_each_once() {
    let rig = Rig::new().await;
    rig.change((0..23).map(|id| Op::Insert(row(id, 7, "bad"))));
    let is_all = |it: &Json| it["failures"].as_array().is_some_and(|it| it.len() == 23);
    rig.until("/v1/failures", is_all).await;
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = rig.get(&format!("/v1/failures?limit=5{after}")).await.json();
        let ids = page["failures"].as_array().expect("a list").iter().map(|it| it["id"].clone());
        seen.extend(ids.map(|id| id.to_string()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 23);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 23);
    for query in ["limit=0", "after=x", "after=eA", "what=1", "limit=1&limit=2"] {
        let reply = rig.get(&format!("/v1/failures?{query}")).await;
        assert_eq!(
            (reply.status, reply.problem().as_str()),
            (400, "E-REQUEST-MALFORMED"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_decision_takes_no_body_but_an_empty_object() {
    let rig = Rig::with(Setup { runs: false, ..Setup::default() }).await;
    let path = "/v1/failures/0123456789abcdef/retry";
    let json = ("content-type", "application/json; charset=utf-8");
    for (headers, body, code) in [
        (&[][..], "", "E-FAILURE-UNKNOWN"),
        (&[json][..], "{}", "E-FAILURE-UNKNOWN"),
        (&[json][..], "{\"all\":true}", "E-REQUEST-MALFORMED"),
        (&[json][..], "{", "E-REQUEST-MALFORMED"),
        (&[json][..], "[]", "E-REQUEST-MALFORMED"),
        (&[][..], "{}", "E-BODY-TYPE"),
        (&[("content-type", "text/plain")][..], "{}", "E-BODY-TYPE"),
    ] {
        let bytes = request(rig.at, "POST", path, headers, body);
        assert_eq!(raw(rig.at, bytes.as_bytes()).await.problem(), code, "{body:?}");
    }
    let reply = send(rig.at, "POST", "/v1/failures/%FF/retry", &[]).await;
    assert_eq!(reply.problem(), "E-REQUEST-MALFORMED");
}
