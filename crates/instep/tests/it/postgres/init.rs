//! A configuration that is proposed for a live database.

use super::seen::Quiz;
use crate::program::Folder;
use serde_json::json;

const MORE: &str = "create schema shop;
    create table topic (id int primary key, name text);
    create table shop.\"Order\" (id uuid primary key, status text, topic_id int references public.topic,
        note text, at timestamptz);
    create table shop.topic (id int primary key);
    create table line (text text);
    create unlogged table quick (id int primary key);
    create view seen as select 1 as id;
    create table parted (id int primary key, kind text) partition by hash (id);
    create table parted_0 partition of parted for values with (modulus 1, remainder 0);
    insert into shop.\"Order\" select gen_random_uuid(), case n % 2 when 0 then 'new' else 'old' end,
        null, repeat('x', 5000), now() from generate_series(1, 50) n";

#[test]
fn a_proposal_names_what_can_be_followed_and_why_the_rest_can_not() {
    let Some(quiz) = Quiz::new() else { return };
    quiz.sql(MORE);
    let folder = Folder::new();
    let ran = folder.run(&format!("init --from {}", quiz.url()));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for words in [
        format!("    postgres: \"{}\"\n", quiz.url()),
        "makes a publication".to_owned(),
        "- public.question  # 30 rows, key id\n".to_owned(),
        "- shop.Order  # 50 rows, key id\n".to_owned(),
        "    to: copy/shop_Order\n".to_owned(),
        "    to: copy/shop_topic\n".to_owned(),
        "- public.parted  # 0 rows, key id\n".to_owned(),
        "  question-by-topic_id:  # its name says that it refers to something\n".to_owned(),
        "  shop_order-by-topic_id:  # it refers to another table\n".to_owned(),
        "  shop_order-by-status:  # its name says that it is a kind\n".to_owned(),
        "    where: \"deleted_at is null\"\n".to_owned(),
        "[E-TABLE-NO-KEY]".to_owned(),
        "[E-TABLE-UNSUITABLE]".to_owned(),
    ] {
        assert!(ran.out.contains(&words), "{words}: {}", ran.out);
    }
    assert!(!ran.out.contains("parted_0"), "{}", ran.out);
    folder.write("instep.yaml", format!("{}\nlisten: 127.0.0.1:0\n", ran.out));
    assert_eq!(folder.run("config check").code, 0);
    let doctor = folder.run("--json doctor").json();
    assert_eq!(doctor["status"], "ok", "{doctor:#}");
    let data = folder.run(&format!("--json init --from {}", quiz.url())).json()["data"].clone();
    let left: Vec<_> = data["left_out"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(left, ["public.line", "public.quick", "public.seen"]);
    assert_eq!(quiz.sql("select count(*) from pg_publication"), "0");
}

#[test]
fn odd_names_and_many_columns_are_proposed_such_that_they_can_be_used() {
    let Some(quiz) = Quiz::new() else { return };
    let columns: Vec<_> = (0..1_590).map(|n| format!("c{n} int")).collect();
    quiz.sql(&format!(
        "create table wide (id int primary key, {});
         create schema \"Odd {{x}}\";
         create table \"Odd {{x}}\".\"a\"\"b'c\" (\"k\"\"1\" int primary key, \"x_id\" int);
         create table \"$HOME ${{X}}: #\" (id int primary key, \"der Status\" text);
         create table \"dots.in.it\" (id text primary key, type char(3));
         create table question_ (id int primary key);
         create table \"Question\" (id int primary key);
         create table \"日本語\" (\"番号\" int primary key, \"種類_id\" int);
         insert into \"dots.in.it\" values ('a', 'x'), ('b', null);
         create table instep_own (id int primary key)",
        columns.join(", ")
    ));
    let folder = Folder::new();
    let ran = folder.run(&format!("--json init --from {}", quiz.url()));
    let data = ran.json()["data"].clone();
    assert_eq!((ran.code, &data["left_out"]), (0, &json!([])), "{data:#}");
    assert_eq!(data["tables"].as_array().unwrap().len(), 8);
    let config = data["config"].as_str().unwrap();
    folder.write("instep.yaml", format!("{config}\nlisten: 127.0.0.1:0\n"));
    let doctor = folder.run("--json doctor");
    assert_eq!(doctor.code, 0, "{}\n{config}", doctor.out);
}

#[test]
fn a_password_stays_out_of_the_proposal() {
    let Some(quiz) = Quiz::new() else { return };
    let folder = Folder::new();
    let url = quiz.url_as("postgres:c4nary");
    let ran = folder.run(&format!("--json init --from {url} --output instep.yaml"));
    assert_eq!(ran.code, 0, "{}", ran.out);
    let written = std::fs::read_to_string(folder.path().join("instep.yaml")).unwrap();
    assert!(!format!("{}{written}", ran.out).contains("c4nary"), "{written}");
    let variable = format!("DB_{}_PASSWORD", quiz.database.to_uppercase());
    assert!(written.contains(&format!("password: \"${{{variable}:?the password}}\"")), "{written}");
    let unset = folder.run("--json config check");
    assert_eq!(unset.code, 2);
    assert!(unset.out.contains(&variable), "{}", unset.out);
    let folder = folder.variable(&variable, "c4nary");
    assert_eq!(folder.run("config check").code, 0);
    assert!(!folder.run("config show").out.contains("c4nary"));
}

#[test]
fn what_can_not_be_read_is_left_out_or_refused() {
    let Some(quiz) = Quiz::new() else { return };
    let role = quiz.role("");
    quiz.sql(&format!("create table mine (id int primary key); grant select on mine to {role}"));
    let folder = Folder::new();
    let ran = folder.run(&format!("--json init --from {}", quiz.url_as(&role)));
    assert_eq!(ran.code, 0, "{}", ran.out);
    let data = ran.json()["data"].clone();
    assert_eq!(data["tables"][0]["name"], "public.mine");
    let left = json!(["public.question", "E-POSTGRES-PRIVILEGE"]);
    assert_eq!(json!([data["left_out"][0]["name"], data["left_out"][0]["code"]]), left);
    for (url, code, problem) in [
        (quiz.url_as("nobody"), 5, "E-POSTGRES-LOGIN"),
        (quiz.url().replace(&quiz.database, "template1"), 2, "E-NOTHING-TO-FOLLOW"),
        ("postgres://a@no-such-server.invalid/x".to_owned(), 4, "E-SOURCE-UNAVAILABLE"),
    ] {
        let ran = folder.run(&format!("--json init --from {url}"));
        assert_eq!(
            (ran.code, ran.problems()),
            (code, vec![problem.to_owned()]),
            "{url}: {}",
            ran.out
        );
    }
}
