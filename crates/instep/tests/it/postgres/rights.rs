//! A role with the least that following takes: each right that it lacks is found, with the statement
//! that grants it, and that statement is enough.

use super::seen::{Quiz, found};
use crate::rig::open;
use serde_json::Value;

/// Every statement in backticks of the remedies of these problems.
fn statements(json: &Value) -> Vec<String> {
    let problems = json["problems"].as_array().unwrap().iter();
    let fixes = problems.map(|it| it["fix"].as_str().unwrap());
    let quoted = |fix: &str| fix.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    fixes.flat_map(|fix| -> Vec<String> { quoted(fix) }).collect()
}

/// The statements of a remedy that are to be typed, and no command of ours.
fn grants(json: &Value) -> Vec<String> {
    statements(json).into_iter().filter(|it| !it.starts_with("instep ")).collect()
}

#[test]
fn what_a_role_lacks_is_found_and_granted_by_what_is_said() {
    let Some(quiz) = Quiz::new() else { return };
    let (role, owner) = (quiz.role(""), quiz.role(""));
    quiz.sql(&format!(
        "alter table question owner to {owner}; create schema apart authorization {owner};
         set role {owner};
         create table apart.\"Odd\" (id int primary key)"
    ));
    quiz.follow(&quiz.url_as(&role), "public.question, apart.Odd");
    let lacking = [
        "E-POSTGRES-PRIVILEGE",
        "E-POSTGRES-PRIVILEGE",
        "E-POSTGRES-PRIVILEGE",
        "E-POSTGRES-PUBLICATION",
    ];
    let json = quiz.finds(3, &lacking);
    let said = grants(&json);
    for statement in [
        format!("alter role {role} replication"),
        format!("grant select on public.question to {role}"),
        format!("grant usage on schema apart to {role}; grant select on apart.\"Odd\" to {role}"),
    ] {
        assert!(said.contains(&statement), "{statement}: {said:#?}");
    }
    let publication = said.last().unwrap();
    assert!(publication.contains(&format!("grant create on database {} to {role}", quiz.database)));
    assert!(publication.contains(&format!("grant {owner} to {role}")), "{publication}");
    said.iter().for_each(|statement| drop(quiz.sql(statement)));
    let json = quiz.finds(0, &[]);
    assert!(found(&json, "app", "capability").contains("`instep run` makes it"), "{json:#}");
}

#[test]
fn a_role_that_may_not_connect_is_told_so() {
    let Some(quiz) = Quiz::new() else { return };
    let role = quiz.role("replication");
    quiz.sql(&format!("revoke connect on database {} from public", quiz.database));
    quiz.follow(&quiz.url_as(&role), "public.question");
    let json = quiz.finds(3, &["E-POSTGRES-PRIVILEGE"]);
    assert!(found(&json, "app", "authentication").contains("permission denied"), "{json:#}");
}

#[test]
fn policies_that_hide_rows_are_found() {
    let Some(quiz) = Quiz::new() else { return };
    let role = quiz.role("replication");
    quiz.sql(&format!(
        "grant create on database {} to {role}; alter table question owner to {role};
         alter table question enable row level security, force row level security",
        quiz.database
    ));
    quiz.follow(&quiz.url_as(&role), "public.question");
    let json = quiz.finds(3, &["E-POSTGRES-PRIVILEGE"]);
    assert!(found(&json, "app", "capability").contains("policies decide"), "{json:#}");
    grants(&json).iter().for_each(|statement| drop(quiz.sql(statement)));
    quiz.finds(0, &[]);
}

#[test]
fn an_unprivileged_role_that_owns_nothing_is_told_to_let_the_owner_publish() {
    let Some(quiz) = Quiz::new() else { return };
    let role = quiz.role("replication");
    quiz.sql(&format!("grant select on question to {role}"));
    quiz.follow(&quiz.url_as(&role), "public.question");
    // Before the first run nobody knows what the publication is called.
    let json = quiz.finds(3, &["E-POSTGRES-PUBLICATION"]);
    let fix = json["problems"][0]["fix"].as_str().unwrap();
    assert!(fix.contains("`instep run`"), "{fix}");
    assert!(!fix.contains("grant postgres"), "nobody is made a superuser: {fix}");
    // From then on it is, and a publication that was made by its owner is enough.
    assert_eq!(quiz.folder.run("source list").code, 0);
    let name = name_of(&quiz);
    let json = quiz.finds(3, &["E-POSTGRES-PUBLICATION"]);
    let said = grants(&json);
    assert!(
        said[0].starts_with(&format!("create publication instep_{name} for table ")),
        "{said:?}"
    );
    quiz.sql(&said[0]);
    quiz.finds(0, &[]);
    // One that leaves out something is not.
    for (break_it, words) in [
        (format!("alter publication instep_{name} set (publish = 'insert')"), "kinds of changes"),
        (
            format!("alter publication instep_{name} set table question where (id > 5)"),
            "rows or columns of public.question",
        ),
        (
            format!("alter publication instep_{name} set table question (id, title)"),
            "rows or columns of public.question",
        ),
        (
            format!("alter publication instep_{name} drop table question"),
            "it lacks public.question",
        ),
    ] {
        quiz.sql(&break_it);
        let json = quiz.finds(3, &["E-POSTGRES-PUBLICATION"]);
        assert!(json["problems"][0]["what"].as_str().unwrap().contains(words), "{words}: {json:#}");
        grants(&json).iter().for_each(|statement| drop(quiz.sql(statement)));
        quiz.finds(0, &[]);
    }
}

/// The name of this Instep, which its first run draws.
fn name_of(quiz: &Quiz) -> String {
    let open = async {
        let path = quiz.folder.path().join("data/catalog.db");
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let catalog = engine::SqliteCatalog::open(&path).await.unwrap().catalog;
        catalog.begin_run().await.unwrap().name
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(open)
}

/// Where neither the server nor the role is such as the stream of changes wants them.
#[test]
fn triggers_need_no_stream_and_what_they_need_is_found_and_granted() {
    let Some(quiz) = Quiz::of(&["wal_level = replica"], &[]) else { return };
    let role = quiz.role("");
    let url = quiz.url_as(&role);
    quiz.follow_by(&url, "public.question", "triggers");
    let json = quiz.finds(3, &["E-POSTGRES-PRIVILEGE"; 3]);
    grants(&json).iter().for_each(|statement| drop(quiz.sql(statement)));
    let json = quiz.finds(0, &[]);
    let said = found(&json, "app", "capability");
    assert!(said.contains("`instep run` makes a schema for them"), "{json:#}");
    let detached = quiz.folder.run("--json source detach quiz").json()["data"]["status"].clone();
    assert_eq!(detached, "already_detached");
}

/// A count of a file, pushed into the database over this URL.
fn pushes(quiz: &Quiz, url: &str) {
    open(&quiz.folder.path().join("quiz.db"))
        .execute_batch("create table if not exists question (id integer primary key, topic int)")
        .unwrap();
    let config = format!(
        "version: 1\ndata_dir: data\nlisten: 127.0.0.1:0\n\
         services:\n  file: {{ sqlite: quiz.db }}\n  app: {{ postgres: \"{url}\" }}\n\
         sources:\n  quiz: {{ from: file, tables: [question] }}\n\
         counts:\n  all: {{ of: quiz/question, by: [topic], to: [app/public.counted, app/apart.Odd] }}\n"
    );
    quiz.folder.write("instep.yaml", config);
}

/// What is only written to needs nothing of what a source does.
#[test]
fn what_a_role_lacks_to_write_is_found_and_granted_by_what_is_said() {
    let Some(quiz) = Quiz::of(&["wal_level = minimal", "max_wal_senders = 0"], &[]) else { return };
    let role = quiz.role("");
    let own = quiz.role("");
    quiz.sql("create schema apart; create table apart.\"Odd\" (count text, topic int, value int)");
    pushes(&quiz, &quiz.url_as(&role));
    let json = quiz.finds(3, &["E-POSTGRES-PRIVILEGE"; 3]);
    let said = grants(&json);
    for statement in [
        format!("create schema instep authorization {role}"),
        format!("grant usage, create on schema public to {role}"),
        format!(
            "grant usage on schema apart to {role}; \
             grant select, insert, update, delete on apart.\"Odd\" to {role}"
        ),
    ] {
        assert!(said.contains(&statement), "{statement}: {said:#?}");
    }
    said.iter().for_each(|statement| drop(quiz.sql(statement)));
    let json = quiz.finds(0, &[]);
    let found = found(&json, "app", "capability");
    assert!(found.contains("in its schema instep, which is there"), "{json:#}");
    // Books of another role are its own.
    quiz.sql(
        "create table instep.watermarks (lane text); create table public.counted (count text)",
    );
    pushes(&quiz, &quiz.url_as(&own));
    let json = quiz.finds(3, &["E-POSTGRES-PRIVILEGE"; 3]);
    grants(&json).iter().for_each(|statement| drop(quiz.sql(statement)));
    quiz.finds(0, &[]);
    quiz.sql(&format!("alter role {own} set default_transaction_read_only = on"));
    let json = quiz.finds(3, &["E-TARGET-UNAVAILABLE"]);
    grants(&json).iter().for_each(|statement| drop(quiz.sql(statement)));
    quiz.finds(0, &[]);
}

#[test]
fn a_target_that_is_away_is_no_source() {
    let Some(quiz) = Quiz::new() else { return };
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    pushes(&quiz, "postgres://a@no-such-server.invalid/x");
    quiz.finds(3, &["E-TARGET-UNAVAILABLE"]);
    pushes(&quiz, &format!("postgres://a@127.0.0.1:{port}/x?connect_timeout=1"));
    quiz.finds(3, &["E-TARGET-UNAVAILABLE"]);
    drop(free);
}
