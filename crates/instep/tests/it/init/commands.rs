//! How the command behaves: where it writes, and what it refuses.

use crate::program::Folder;
use crate::rig::open;
use std::fs;

fn write(folder: &Folder, name: &str, sql: &str) {
    open(&folder.path().join(name)).execute_batch(sql).unwrap();
}

fn quiz() -> Folder {
    let folder = Folder::new();
    write(
        &folder,
        "quiz.db",
        "create table topic (id integer primary key, name text);
         create table question (id integer primary key, topic int references topic, status text,
             body text, deleted_at text);
         create table log (line text);
         create view latest as select * from question;
         insert into topic values (1, 'a'), (2, 'b');
         insert into question values (1, 1, 'new', 'x', null), (2, 1, 'old', 'y', 'monday');",
    );
    folder
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_proposal_is_printed_with_its_reasons_and_nothing_is_written() {
    let folder = quiz();
    let ran = folder.run("init --from sqlite:quiz.db");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(names(&folder), ["quiz.db"]);
    assert!(ran.out.starts_with("# yaml-language-server: $schema=./instep.schema.json\n"));
    for words in [
        "    sqlite: quiz.db\n",
        "    sqlite: quiz-copy.db\n",
        "  question-by-topic:  # it refers to another table\n",
        "  question-by-status:  # its name says that it is a kind\n",
        "    where: \"deleted_at is null\"\n",
        "#   log: the table log has no primary key  [E-TABLE-NO-KEY]\n",
        "#   latest: the table latest can not be followed: it is a view  [E-TABLE-UNSUITABLE]\n",
        "- topic  # 2 rows, key id\n",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    let json = folder.run("--json init --from sqlite:quiz.db").json();
    assert_eq!(json["data"]["config"].as_str().unwrap(), ran.out);
    assert_eq!(json["data"]["tables"][0]["name"], "question");
    assert_eq!(json["data"]["left_out"][1]["code"], "E-TABLE-NO-KEY");
    assert!(json["next_steps"][0]["command"].as_str().unwrap().contains("--output"));
}

#[test]
fn a_file_is_written_once_and_replaced_only_when_told_to() {
    let folder = quiz();
    let line = "--json init --from sqlite:quiz.db --output instep.yaml";
    assert_eq!(folder.run(line).code, 0);
    let written = fs::read_to_string(folder.path().join("instep.yaml")).unwrap();
    assert_eq!(folder.run("config check").code, 0);
    assert_eq!(folder.run("doctor").code, 0);
    folder.write("instep.yaml", "mine");
    let again = folder.run(line);
    assert_eq!((again.code, again.problems()), (7, vec!["E-FILE-EXISTS".to_owned()]));
    assert_eq!(fs::read(folder.path().join("instep.yaml")).unwrap(), b"mine");
    assert_eq!(folder.run(&format!("{line} --force")).code, 0);
    assert_eq!(fs::read_to_string(folder.path().join("instep.yaml")).unwrap(), written);
    assert_eq!(folder.run("init --from sqlite:quiz.db --output no/where.yaml").code, 1);
    assert_eq!(folder.run("init --from sqlite:quiz.db --force").code, 2);
}

#[test]
fn a_configuration_in_another_folder_finds_the_database() {
    let folder = quiz();
    fs::create_dir(folder.path().join("etc")).unwrap();
    assert_eq!(folder.run("init --from sqlite:quiz.db --output etc/instep.yaml").code, 0);
    let json = folder.run("--json --config etc/instep.yaml config show").json();
    let path = json["data"]["services"]["quiz"]["sqlite"].as_str().unwrap();
    assert_eq!(
        fs::canonicalize(path).unwrap(),
        fs::canonicalize(folder.path().join("quiz.db")).unwrap()
    );
    assert_eq!(folder.run("--config etc/instep.yaml doctor").code, 0);
}

#[test]
fn a_file_for_the_copies_is_never_one_that_is_there() {
    let folder = quiz();
    folder.write("quiz-copy.db", "something else");
    let ran = folder.run("init --from sqlite:quiz.db");
    assert!(ran.out.contains("sqlite: quiz-copy-2.db\n"), "{}", ran.out);
}

#[test]
fn what_can_not_be_read_is_refused() {
    let folder = quiz();
    folder.write("text.db", "this is a text, and a rather long one at that");
    write(&folder, "empty.db", "create table log (line text)");
    for (from, code, problems) in [
        ("sqlite:nowhere.db", 4, &["E-FILE-MISSING"][..]),
        ("sqlite:text.db", 2, &["E-FILE-UNSUITABLE"]),
        ("sqlite:empty.db", 2, &["E-NOTHING-TO-FOLLOW", "E-TABLE-NO-KEY"]),
        ("postgres://a@b:c/d", 2, &["E-POSTGRES-URL"]),
        ("mysql://a:s3cret@b/c", 2, &["E-USAGE"]),
        ("sqlite:", 2, &["E-USAGE"]),
    ] {
        let ran = folder.run(&format!("--json init --from {from} --output new.yaml"));
        assert_eq!(
            (ran.code, ran.problems()),
            (code, problems.iter().map(|it| (*it).to_owned()).collect()),
            "{from}"
        );
        assert!(!folder.path().join("new.yaml").exists());
        assert!(!ran.out.contains("s3cret"), "{}", ran.out);
    }
}

#[test]
fn of_a_large_table_only_so_much_is_read() {
    let folder = Folder::new();
    write(
        &folder,
        "large.db",
        "create table line (id integer primary key, kind int, body text);
         with recursive number (id) as (values (1) union all select id + 1 from number where id < 50000)
         insert into line select id, id % 3, hex(zeroblob(200)) from number;",
    );
    let json = folder.run("--json init --from sqlite:large.db").json();
    let table = &json["data"]["tables"][0];
    assert_eq!((&table["rows"], &table["has_more_rows"]), (&20_000.into(), &true.into()));
    let counts = serde_json::json!(["line", "line-by-kind"]);
    assert_eq!(table["counts"], counts);
}
