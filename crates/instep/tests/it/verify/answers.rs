//! What is said of a copy that is equal, and of one that is not, in every form.

use super::rig::Pair;
use serde_json::{Value, json};
use std::fs;

#[test]
fn an_equal_copy_is_in_step_and_nothing_is_written() {
    let pair = Pair::new();
    let files = || {
        let entries = fs::read_dir(pair.folder.path()).unwrap();
        let read = |path: std::path::PathBuf| (fs::read(&path).unwrap(), path);
        let mut files: Vec<_> = entries.map(|it| read(it.unwrap().path())).collect();
        files.sort();
        files
    };
    let before = files();
    let ran = pair.verify("");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(
        ran.out.contains("\nin step: 10 rows of question are the same in the copy ("),
        "{}",
        ran.out
    );
    assert!(ran.out.starts_with("source  question in "), "{}", ran.out);
    let json = pair.verify("--json").json();
    assert_eq!(json["status"], "ok");
    let data = &json["data"];
    for (field, value) in
        [("compared", 10), ("missing", 0), ("extra", 0), ("different", 0), ("unsettled", 0)]
    {
        assert_eq!(data[field], value, "{field}");
    }
    assert_eq!((&data["position"], &data["differences"]), (&Value::Null, &json!([])));
    assert_eq!(files(), before);
    let csv = pair.verify("--output csv");
    assert_eq!(csv.out, "table,key,kind,cause,column,source,copy\r\n");
    assert!(csv.err.contains("in step: 10 rows"), "{}", csv.err);
}

#[test]
fn differences_are_named_and_their_values_are_not() {
    let pair = Pair::broken();
    let ran = pair.verify("--output json");
    assert_eq!(ran.code, 3);
    let json = ran.json();
    assert_eq!(json["status"], "differences");
    let data = &json["data"];
    let numbers = ["compared", "missing", "extra", "different", "unsettled", "more"];
    assert_eq!(numbers.map(|it| data[it].as_u64().unwrap()), [10, 1, 1, 1, 0, 0]);
    let mut differences = data["differences"].as_array().unwrap().clone();
    differences.sort_by_key(|it| it["key"]["id"].as_i64());
    let row = |id: i64, kind: &str, columns: &[&str]| json!({"table": "question", "key": {"id": id}, "kind": kind, "cause": "unknown", "columns": columns});
    let all = ["topic", "title", "score"];
    let expected =
        [row(3, "missing", &all), row(7, "different", &["title", "score"]), row(11, "extra", &all)];
    assert_eq!(differences, expected);
    let human = pair.verify("");
    assert_eq!(human.code, 3);
    assert!(
        human.out.contains("id=7   different  unknown  title ••• → •••, score ••• → •••\n"),
        "{}",
        human.out
    );
    let last = human.err.lines().last().unwrap();
    assert!(
        last.starts_with("3 rows differ: 1 missing, 1 extra, 1 different of 10 compared"),
        "{last}"
    );
    let csv = pair.verify("--output csv");
    for ran in [&ran, &human, &csv] {
        assert!(!ran.out.contains("secret") && !ran.out.contains("drop"), "{}", ran.out);
    }
}

#[test]
fn values_are_shown_to_who_asks_for_them() {
    let pair = Pair::broken();
    let json = pair.verify("--json --show-values").json();
    let differences = json["data"]["differences"].as_array().unwrap();
    let of = |id: i64| differences.iter().find(|it| it["key"]["id"] == id).unwrap();
    assert_eq!(
        of(7)["values"],
        json!({"title": {"source": "question 7", "copy": "it's; drop table question"},
            "score": {"source": 3.5, "copy": -1.5}})
    );
    let csv = pair.verify("--output csv --show-values").out;
    for line in [
        "question,\"{\"\"id\"\":11}\",extra,unknown,title,,'=secret()\r\n",
        "question,\"{\"\"id\"\":11}\",extra,unknown,score,,\r\n",
        "question,\"{\"\"id\"\":7}\",different,unknown,score,3.5,-1.5\r\n",
    ] {
        assert!(csv.contains(line), "{line}: {csv}");
    }
    let human = pair.verify("--show-values").out;
    assert!(
        human.contains("title \"question 7\" → \"it's; drop table question\", score 3.5 → -1.5"),
        "{human}"
    );
}

#[test]
fn only_so_many_differences_are_listed_and_all_are_counted() {
    let pair = Pair::broken();
    let data = pair.verify("--json --limit-differences 1").json()["data"].clone();
    assert_eq!((data["differences"].as_array().unwrap().len(), &data["more"]), (1, &json!(2)));
    assert_eq!(data["missing"], 1);
    let sql = pair.verify("--output sql --limit-differences 0").out;
    assert!(sql.contains("-- 3 more are not listed here"), "{sql}");
}

#[test]
fn what_is_compared_follows_what_was_asked_for() {
    let pair = Pair::broken();
    for (flags, code, compared) in [
        ("--columns topic --where id<>3 --copy-where id<>11", 0, 9),
        ("--columns topic,title --where id<3", 0, 2),
        ("--leave-out title,score --where id<11 --copy-where id<11", 3, 10),
        ("--newest 3 --by id", 3, 3),
        ("--newest 2 --by id --columns title --copy-where id<11", 0, 2),
        ("--treat score=null-as-missing --map title=title --key id --where id=1", 0, 1),
        ("--counts by=", 0, 1),
        ("--counts by=topic --where id<>3 --copy-where id<>3", 3, 3),
        ("--counts by=topic --where id<3 --copy-where id<3", 0, 2),
        ("--connections 1 --max-load 50% --sample 100% --where id<3", 0, 2),
    ] {
        let ran = pair.verify(&format!("--json {flags}"));
        assert_eq!(
            (ran.code, &ran.json()["data"]["compared"]),
            (code, &json!(compared)),
            "{flags}: {}",
            ran.out
        );
    }
}

#[test]
fn a_row_that_refers_to_nothing_is_an_orphan_of_the_copy() {
    let pair = Pair::new();
    let topics =
        "create table topic (id integer primary key); insert into topic values (0), (1), (2)";
    pair.write("source.db", topics);
    pair.write("copy.db", topics);
    assert_eq!(pair.verify("--references topic=topic.id").code, 0);
    pair.write("copy.db", "delete from topic where id = 2");
    let ran = pair.verify("--json --references topic=topic.id");
    let data = ran.json()["data"].clone();
    assert_eq!((ran.code, &data["orphans"]), (3, &json!(3)), "{data:#}");
    assert_eq!(data["differences"][0]["kind"], "orphan");
    let sql = pair.verify("--output sql --references topic=topic.id").out;
    assert!(sql.lines().all(|line| line.starts_with("-- ")), "{sql}");
}
