//! What can not be compared, by what is typed and by what is there.

use super::rig::Pair;
use crate::program::Folder;

#[test]
fn what_makes_no_sense_is_refused_with_what_to_write() {
    let pair = Pair::new();
    let folder = Folder::new();
    let fix = |line: &str| {
        let ran = folder.run(&format!("--json verify {line}"));
        assert_eq!(
            (ran.code, ran.problems()),
            (2, vec!["E-USAGE".to_owned()]),
            "{line}: {}",
            ran.out
        );
        ran.json()["problems"][0]["fix"].as_str().unwrap().to_owned()
    };
    assert!(fix("").contains("--copy NAME"));
    assert!(fix("--copy sqlite:a.db?table=t").contains("--source 'postgres://"));
    assert!(fix("--source sqlite:a.db --copy sqlite:b.db").contains("?table=questions"));
    assert!(fix("--source mysql://a:c4nary@b/c --copy sqlite:b.db").contains("sqlite:PATH"));
    assert!(fix("--source sqlite:a.db?table=a --copy search").contains("sqlite:PATH"));
    let ran = folder.run("--json verify --copy search");
    assert_eq!((ran.code, ran.problems()), (2, vec!["E-CONFIG-FILE".to_owned()]));
    for flags in [
        "--json --output csv",
        "--json --every 5m --output sql",
        "--json --columns nowhere",
        "--json --key nowhere",
        "--json --newest 3 --by nowhere",
        "--json --treat title=nicely",
        "--json --settle 5",
    ] {
        let ran = pair.verify(flags);
        assert_eq!(
            (ran.code, ran.problems()),
            (2, vec!["E-USAGE".to_owned()]),
            "{flags}: {}",
            ran.out
        );
    }
    let open = pair.verify("--json --every 5m --listen 0.0.0.0:0");
    assert_eq!((open.code, open.problems()), (2, vec!["E-LISTEN-OPEN".to_owned()]));
}

#[test]
fn what_is_not_there_is_no_verdict() {
    let pair = Pair::new();
    pair.write(
        "copy.db",
        "create table plain (id int, n int); insert into plain values (1, 1), (1, 2)",
    );
    pair.write("source.db", "create table plain (id int, n int); insert into plain values (1, 1)");
    pair.folder.write("text.db", "this is a text, and a rather long one at that, so it is none");
    for (source, copy, code, problem) in [
        ("sqlite:no.db?table=question", "sqlite:copy.db", 4, "E-FILE-MISSING"),
        ("sqlite:source.db?table=question", "sqlite:no.db", 4, "E-FILE-MISSING"),
        ("sqlite:source.db?table=nothing", "sqlite:copy.db", 6, "E-TABLE-MISSING"),
        ("sqlite:source.db?table=question", "sqlite:text.db", 6, "E-FILE-UNSUITABLE"),
        ("sqlite:source.db?table=plain", "sqlite:copy.db", 6, "E-TABLE-NO-KEY"),
        ("postgres://a@127.0.0.1:1/b?table=question", "sqlite:copy.db", 4, "E-SOURCE-UNAVAILABLE"),
        ("postgres://a@b:c/d?table=question", "sqlite:copy.db", 2, "E-POSTGRES-URL"),
    ] {
        let ran = pair.folder.run(&format!("--json verify --source {source} --copy {copy}"));
        assert_eq!(
            (ran.code, ran.problems()),
            (code, vec![problem.to_owned()]),
            "{source} {copy}: {}",
            ran.out
        );
    }
}

#[test]
fn a_condition_that_the_store_does_not_take_is_refused() {
    let pair = Pair::new();
    for condition in ["nowhere=1", "id=1)or(1=1", "1=1;delete/**/from/**/question", "id="] {
        let ran = pair.verify(&format!("--json --where {condition}"));
        assert!(matches!(ran.code, 2 | 6), "{condition}: {}", ran.out);
        assert_eq!(ran.json()["problems"].as_array().unwrap().len(), 1);
    }
    assert_eq!(pair.verify("").code, 0);
}
