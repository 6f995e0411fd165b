//! `/livez`, `/readyz`, `GET /v1/status`, `GET /v1/copies`, `/openapi.json`: exactly which fields.

use super::http::fields;
use super::waiting::until;
use super::world::{database, world};
use crate::rig::lines;
use serde_json::{Value, json};

#[test]
fn a_process_that_runs_is_live_and_ready() {
    let api = &world().api;
    for path in ["/livez", "/readyz"] {
        assert_eq!(api.get(path).status, 200, "{path}");
    }
}

#[test]
fn status_says_everything_of_an_instance() {
    let status = world().api.json("/v1/status");
    let names = ["copies", "counts", "log", "problems", "sources", "state", "version"];
    assert_eq!(fields(&status), names);
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["state"], "unverified", "nothing has been proven yet");
    assert_eq!(status["problems"], json!([]));
    let service = |name: &str| json!({"name": name, "connected": true, "position": "1"});
    assert_eq!(
        status["sources"],
        json!([
            {"name": "shop", "services": [service("shop")]},
            {"name": "pair", "services": [service("left"), service("right")]},
        ])
    );
    let log = &status["log"];
    assert_eq!(fields(log), ["bytes", "kind", "lanes"]);
    assert_eq!(log["kind"], "embedded");
    assert!(log["bytes"].is_u64());
    let lanes = log["lanes"].as_array().unwrap();
    assert!(lanes.iter().all(|lane| fields(lane) == ["first", "lane", "last"]));
    let names: Vec<_> = lanes.iter().map(|lane| lane["lane"].as_str().unwrap()).collect();
    assert_eq!(names, ["shop/shop", "pair/left", "pair/right"]);
    for count in status["counts"].as_array().unwrap() {
        assert_eq!(fields(count), ["name", "position", "state"]);
    }
    assert_eq!(status["counts"][0], json!({"name": "all", "state": "unverified", "position": "1"}));
}

#[test]
fn a_copy_says_everything_of_itself() {
    let api = &world().api;
    let copies = api.json("/v1/copies");
    assert_eq!(fields(&copies), ["copies"]);
    assert_eq!(copies["copies"], api.json("/v1/status")["copies"]);
    let copy = |name: &str, of: &str, to: &str, position: &str| {
        json!({"name": name, "of": of, "to": to, "elsewhere": [], "phase": "following", "state": "unverified",
            "position": position, "lag_changes": 0, "failures": 0, "progress": null, "verified_through": null})
    };
    assert_eq!(
        copies["copies"],
        json!([
            copy("items", "shop/item", "target/item", "1"),
            copy("renamed", "shop/item", "target/renamed", "1"),
            copy("rows", "pair/row", "target/row", "left:1,right:1"),
        ])
    );
}

#[test]
fn nothing_held_is_an_empty_list() {
    assert_eq!(world().api.json("/v1/failures"), json!({"failures": [], "next": null}));
}

#[test]
fn the_api_describes_itself_route_by_route() {
    let api = &world().api;
    let document = api.json("/openapi.json");
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
    let paths = fields(&document["paths"]);
    for path in [
        "/livez",
        "/readyz",
        "/metrics",
        "/v1/status",
        "/v1/copies",
        "/v1/counts",
        "/v1/counts/{name}",
        "/v1/failures",
        "/v1/failures/{id}/retry",
        "/v1/failures/{id}/discard",
    ] {
        assert!(paths.contains(&path), "{path}");
    }
    let fields_of = |name: &str| {
        let properties = &document["components"]["schemas"][name]["properties"];
        fields(properties).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let copies = api.json("/v1/copies");
    assert_eq!(fields_of("CopyView"), fields(&copies["copies"][0]));
    assert_eq!(fields_of("StatusView"), fields(&api.json("/v1/status")));
    assert_eq!(fields_of("NumberView"), fields(&api.json("/v1/counts/all")));
    assert_eq!(fields_of("ProblemView"), fields(&api.get("/v1/nothing").json()));
}

#[test]
fn what_is_looked_at_can_be_asked_for_without_its_body() {
    let api = &world().api;
    for path in ["/livez", "/v1/status", "/v1/counts/all", "/metrics"] {
        let answer = api.ask("HEAD", path, &[], b"");
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}

#[test]
fn an_answer_tells_a_browser_to_be_careful() {
    let api = &world().api;
    for path in ["/v1/status", "/v1/counts/all", "/v1/nothing"] {
        let answer = api.get(path);
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(matches!(answer.header("cache-control"), Some("no-store" | "private, no-cache")));
    }
    // Nothing of another site is let in.
    let answer = api.ask("GET", "/v1/status", &[("origin", "http://evil.example")], b"");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_ne!(answer.json(), Value::Null);
}

#[test]
fn what_is_copied_and_pushed_is_in_the_tables_of_the_target() {
    let world = world();
    let target = database(&world.folder, "target.db");
    let all = |sql: &str| lines(&target, sql).unwrap();
    let renamed = all("select id, subject, note from renamed order by id");
    assert_eq!(renamed.len(), 7);
    assert_eq!(renamed[2], "3|8|null");
    let source = database(&world.folder, "shop.db");
    let item = "select * from item order by id";
    assert_eq!(all(item), lines(&source, item).unwrap());
    let owners = all("select shard, count(*) from row group by shard order by shard");
    assert_eq!(owners, ["'pair/left'|3", "'pair/right'|2"]);
    // The first push makes the table, so that until then there is none.
    until("every group is pushed", || {
        lines(&target, "select topic, value from topic_count order by topic")
            .is_ok_and(|groups| groups == ["null|2", "-1|1", "7|2", "8|1", "9007199254740993|1"])
    });
}
