//! A copy of the configuration by its name, also one that several services feed.

use super::rig::Pair;
use crate::program::Folder;
use crate::rig::open;
use serde_json::json;

#[test]
fn a_copy_is_named_by_the_configuration_with_its_fields() {
    let pair = Pair::new();
    pair.folder.write(
        "instep.yaml",
        "version: 1
services: { app: { sqlite: source.db }, search: { sqlite: search.db } }
sources: { quiz: { from: app, tables: [question] } }
copies:
  entries: { of: quiz/question, to: search/entry, fields: { entry: id, body: title } }
",
    );
    pair.write(
        "search.db",
        "create table entry (entry integer primary key, body text, seen int default 0);
         with recursive number (id) as (values (1) union all select id + 1 from number where id < 10)
         insert into entry select id, 'question ' || id, 0 from number",
    );
    let ran = pair.folder.run("verify --copy entries --settle 100ms");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("body    title"), "{}", ran.out);
    pair.write("search.db", "update entry set body = 'x' where entry = 4");
    let ran = pair.folder.run("--json verify --copy entries --settle 100ms");
    let json = ran.json();
    assert_eq!((ran.code, &json["data"]["differences"][0]["key"]), (3, &json!({"entry": 4})));
    assert_eq!(json["next_steps"][0]["command"], "instep verify --copy entries --show-values");
    let wrong = pair.folder.run("--json verify --copy entrise");
    assert_eq!(wrong.code, 2);
    assert!(wrong.out.contains("did you mean `entries`?"), "{}", wrong.out);
    let none = pair.folder.run("--json verify");
    assert!(none.code == 2 && none.out.contains("--copy entries"), "{}", none.out);
}

#[test]
fn a_copy_of_several_services_is_compared_service_by_service() {
    let folder = Folder::with(
        "version: 1
services: { a: { sqlite: a.db }, b: { sqlite: b.db }, to: { sqlite: to.db } }
sources: { quiz: { from: [a, b], tables: [question], shard_in_key: true } }
copies: { questions: { of: quiz/question, to: to/question, shard_column: shard } }
",
    );
    let write = |name: &str, sql: &str| open(&folder.path().join(name)).execute_batch(sql).unwrap();
    let table = "create table question (id integer primary key, title text)";
    write("a.db", &format!("{table}; insert into question values (1, 'a1'), (2, 'a2')"));
    write("b.db", &format!("{table}; insert into question values (1, 'b1')"));
    write(
        "to.db",
        "create table question (shard text, id integer, title text, primary key (shard, id));
         insert into question values ('quiz/a', 1, 'a1'), ('quiz/a', 2, 'a2'), ('quiz/b', 1, 'b1')",
    );
    let ran = folder.run("--json verify --copy questions --settle 100ms");
    let data = ran.json()["data"].clone();
    assert_eq!((ran.code, &data["compared"]), (0, &json!(3)), "{}", ran.out);
    assert_eq!(data["services"][1]["service"], "b");
    write("to.db", "update question set title = 'a1' where shard = 'quiz/b'");
    let ran = folder.run("--json verify --copy questions --settle 100ms");
    let data = ran.json()["data"].clone();
    assert_eq!((ran.code, data["differences"].as_array().unwrap().len()), (3, 1));
    assert_eq!(data["differences"][0]["service"], "b");
}
