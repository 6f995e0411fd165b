//! Rows that a target refuses: listed, tried again, discarded, while all others go on.

use super::http::{Api, fields};
use super::process::Process;
use super::waiting::{until, until_some};
use super::world::{database, write};
use crate::program::Folder;
use crate::rig::lines;
use serde_json::{Value, json};

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
limits: { hold_retry_seconds: 3600, retry_pause_seconds: 0.2 }
services: { a: { sqlite: a.db }, b: { sqlite: b.db } }
sources: { s: { from: a, tables: [item, word] } }
copies: { items: { of: s/item, to: b/item }, words: { of: s/word, to: b/word, create: true } }
counts: { items: { of: s/item } }
";

/// A shop whose copy takes no negative price, and no name twice.
struct Shop {
    folder: Folder,
    _process: Process,
    api: Api,
}

fn shop(rows: &str) -> Shop {
    let folder = Folder::with(CONFIG);
    let item = "create table item (id integer primary key, price int, name text);
        create table word (word text primary key not null) without rowid;";
    write(&folder, "a.db", &format!("{item} {rows}"));
    let strict = "create table item (id integer primary key, price int check (price >= 0),
        name text unique)";
    write(&folder, "b.db", strict);
    let (process, api) = Process::start(&folder);
    Shop { folder, _process: process, api }
}

impl Shop {
    fn failures(&self) -> Vec<Value> {
        self.api.json("/v1/failures")["failures"].as_array().unwrap().clone()
    }

    /// Waits until so many keys are held.
    fn held(&self, many: usize) -> Vec<Value> {
        until_some("keys are held", || Some(self.failures()).filter(|all| all.len() == many))
    }

    fn copied(&self) -> Vec<String> {
        let target = database(&self.folder, "b.db");
        lines(&target, "select id, price, name from item order by id").unwrap()
    }

    fn copy(&self) -> Value {
        self.api.json("/v1/copies")["copies"][0].clone()
    }

    fn decide(&self, id: &Value, verb: &str) -> Value {
        let answer = self.api.post(&format!("/v1/failures/{}/{verb}", id.as_str().unwrap()));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

#[test]
fn a_refused_row_is_listed_with_everything_that_is_known_and_others_go_on() {
    let shop = shop("insert into item values (1, 5, 'a'), (2, -1, 'b'), (3, 6, 'c')");
    let held = shop.held(1);
    let failure = &held[0];
    let names = ["attempts", "id", "key", "next_retry", "reason", "since", "table", "target"];
    assert_eq!(fields(failure), names);
    let about = (&failure["target"], &failure["table"], &failure["key"]);
    assert_eq!(about, (&json!("items"), &json!("item"), &json!([2])));
    assert!(failure["reason"].as_str().unwrap().contains("CHECK"), "{failure}");
    for time in ["since", "next_retry"] {
        assert!(failure[time].as_str().unwrap().ends_with('Z'), "{failure}");
    }
    assert!(failure["attempts"].is_u64());
    write(
        &shop.folder,
        "a.db",
        "insert into item values (4, 7, 'd'); insert into word values ('w')",
    );
    until("others go on", || shop.copied() == ["1|5|'a'", "3|6|'c'", "4|7|'d'"]);
    let copy = until_some("it is told", || Some(shop.copy()).filter(|copy| copy["failures"] == 1));
    assert_eq!((&copy["state"], &copy["phase"]), (&json!("diverged"), &json!("following")));
    assert_eq!(copy["verified_through"], Value::Null);
    let status = shop.api.json("/v1/status");
    assert_eq!(status["state"], "diverged");
    let other = &status["copies"][1];
    assert_eq!((&other["state"], &other["failures"]), (&json!("unverified"), &json!(0)));
    let problem = &status["problems"][0];
    assert_eq!(fields(problem), ["code", "fix", "what", "why"]);
    assert_eq!(problem["code"], "E-ROWS-HELD");
    assert_eq!(
        shop.api.json("/v1/counts/items?at_least=3&wait=30s")["value"],
        4,
        "counts never hold"
    );
    let page = shop.api.get("/metrics").text();
    assert!(page.contains("instep_failures{target=\"items\"} 1\n"), "{page}");
    assert!(page.contains("instep_failures{target=\"words\"} 0\n"), "{page}");
    let check = shop.folder.run(&format!("status --check --json --url {}", shop.api.url()));
    assert_eq!((check.code, &check.json()["status"]), (3, &json!("differences")));
    let wait = shop.folder.run(&format!("status --check --wait 100ms --url {}", shop.api.url()));
    assert_eq!(wait.code, 8, "{}", wait.err);
    assert_eq!(shop.folder.run(&format!("status --url {}", shop.api.url())).code, 0);
}

#[test]
fn a_row_passes_once_the_target_takes_it_and_it_is_tried_again() {
    let shop = shop("insert into item values (1, 5, 'a'), (2, -1, 'b')");
    let held = shop.held(1);
    let lifted = "alter table item rename to old;
        create table item (id integer primary key, price int, name text unique);
        insert into item select * from old; drop table old";
    write(&shop.folder, "b.db", lifted);
    let told = shop.decide(&held[0]["id"], "retry");
    assert_eq!(told, json!({"id": held[0]["id"], "status": "retrying"}));
    shop.held(0);
    until("the row is there", || shop.copied() == ["1|5|'a'", "2|-1|'b'"]);
    let copy = shop.copy();
    assert_eq!((&copy["state"], &copy["failures"]), (&json!("unverified"), &json!(0)));
    let again = shop.api.post(&format!("/v1/failures/{}/retry", held[0]["id"].as_str().unwrap()));
    again.problem(404, "E-FAILURE-UNKNOWN");
}

#[test]
fn a_retry_in_vain_stays_a_failure_and_is_counted() {
    let shop = shop("insert into item values (2, -1, 'b')");
    let held = shop.held(1);
    shop.decide(&held[0]["id"], "retry");
    let attempts = |it: &Value| it["attempts"].as_u64().unwrap();
    let more = until_some("it was tried", || {
        let all = Some(shop.failures()).filter(|all| all.len() == 1);
        all.filter(|all| attempts(&all[0]) > attempts(&held[0]))
    });
    let unchanged = |it: &Value| (it["id"].clone(), it["since"].clone(), it["reason"].clone());
    assert_eq!(unchanged(&more[0]), unchanged(&held[0]));
}

#[test]
fn a_change_of_a_held_row_that_the_target_takes_ends_the_failure() {
    let shop = shop("insert into item values (1, 5, 'a'), (2, 6, 'b'), (3, -1, 'c')");
    shop.held(1);
    // Unique in the copy alone.
    write(&shop.folder, "a.db", "insert into item values (4, 1, 'a')");
    let both = shop.held(2);
    let unique = both.iter().find(|it| it["key"] == json!([4])).unwrap();
    assert!(unique["reason"].as_str().unwrap().contains("UNIQUE"), "{unique}");
    write(
        &shop.folder,
        "a.db",
        "update item set price = 9 where id = 3; delete from item where id = 4",
    );
    shop.held(0);
    until("the copy is as its source", || shop.copied() == ["1|5|'a'", "2|6|'b'", "3|9|'c'"]);
}

#[test]
fn a_discarded_failure_is_gone_and_later_changes_are_applied() {
    let shop = shop("insert into item values (1, 5, 'a'), (2, -1, 'b')");
    let held = shop.held(1);
    let told = shop.decide(&held[0]["id"], "discard");
    assert_eq!(told, json!({"id": held[0]["id"], "status": "discarded"}));
    shop.held(0);
    assert_eq!(shop.copied(), ["1|5|'a'"]);
    write(&shop.folder, "a.db", "update item set price = 8 where id = 2");
    until("the later change is there", || shop.copied() == ["1|5|'a'", "2|8|'b'"]);
    let again = shop.api.post(&format!("/v1/failures/{}/discard", held[0]["id"].as_str().unwrap()));
    again.problem(404, "E-FAILURE-UNKNOWN");
}

#[test]
fn many_failures_come_page_by_page_and_to_the_command_all_at_once() {
    let shop =
        shop("insert into item values (1, -1, 'a'), (2, -1, 'b'), (3, -1, 'c'), (4, 1, 'd')");
    let held = shop.held(3);
    let (mut found, mut path) = (Vec::new(), "/v1/failures?limit=2".to_owned());
    loop {
        let page = shop.api.json(&path);
        assert_eq!(fields(&page), ["failures", "next"]);
        found.extend(page["failures"].as_array().unwrap().iter().map(|it| it["id"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/failures?limit=2&after={next}");
    }
    assert_eq!(found, held.iter().map(|it| it["id"].clone()).collect::<Vec<_>>());
    let url = format!("--url {}", shop.api.url());
    let listed = shop.folder.run(&format!("--json failures list {url}"));
    assert_eq!(listed.json()["data"]["failures"].as_array().map(Vec::len), Some(3));
    let id = found[0].as_str().unwrap();
    let shown = shop.folder.run(&format!("--json failures show {id} {url}"));
    assert_eq!((shown.code, &shown.json()["data"]["id"]), (0, &found[0]));
    assert_eq!(shop.folder.run(&format!("failures discard {id} {url}")).code, 0);
    shop.held(2);
    for verb in ["show", "retry", "discard"] {
        let gone = shop.folder.run(&format!("--json failures {verb} {id} {url}"));
        assert_eq!(gone.code, 2, "{verb}: {}", gone.out);
    }
    for wrong in ["limit=0", "after=x", "after=", "limit=1&limit=1", "state=open"] {
        shop.api.problem(&format!("/v1/failures?{wrong}"), 400, "E-REQUEST-MALFORMED");
    }
}

#[test]
fn a_failure_outlives_a_restart_under_its_id() {
    let Shop { folder, _process: process, api } = shop("insert into item values (2, -1, 'b')");
    let failures = |api: &Api| api.json("/v1/failures")["failures"].clone();
    let held = until_some("a key is held", || {
        Some(failures(&api)).filter(|all| all.as_array().unwrap().len() == 1)
    });
    process.signal("TERM");
    assert_eq!(process.rest().1, Some(0));
    let (_process, api) = Process::start(&folder);
    let again = until_some("it is held again", || {
        Some(failures(&api)).filter(|all| all.as_array().unwrap().len() == 1)
    });
    for field in ["id", "since", "key", "reason", "target", "table"] {
        assert_eq!(again[0][field], held[0][field], "{field}");
    }
}
