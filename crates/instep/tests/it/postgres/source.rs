//! What a person decides about a source: which server is the right one, and that nothing of ours
//! stays there.

use super::seen::{Quiz, found};
use connectors::postgres::{publication_name, slot_name};
use engine::{Catalog, History, Instance, SqliteCatalog};
use model::{Incarnation, Position};
use std::fs;

/// Has this folder follow the database, as its first run does, without running it.
fn followed(quiz: &Quiz, identity: &str) -> Instance {
    let history = History {
        incarnation: Incarnation(1),
        identity: identity.into(),
        began: Position::from_number(7),
        witness: vec![].into(),
    };
    let follow = async {
        let path = quiz.folder.path().join("data/catalog.db");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let catalog = SqliteCatalog::open(&path).await.unwrap().catalog;
        let instance = catalog.begin_run().await.unwrap();
        catalog.begin(&"quiz/app".into(), &history).await.unwrap();
        instance
    };
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(follow)
}

/// Who the database is, as its server says it.
fn identity(quiz: &Quiz) -> String {
    let ask = "select 'postgres:' || system_identifier || '/' || (select oid from pg_database
        where datname = current_database()) from pg_control_system()";
    quiz.sql(ask)
}

#[test]
fn another_server_is_refused_until_a_person_adopts_it() {
    let Some(quiz) = Quiz::new() else { return };
    let never = quiz.folder.run("--json source adopt quiz").json();
    assert!(never["summary"].as_str().unwrap().contains("never followed"), "{never:#}");
    followed(&quiz, "postgres:1/1");
    let json = quiz.finds(3, &["E-SOURCE-CHANGED"]);
    assert!(json["problems"][0]["what"].as_str().unwrap().contains("another server"), "{json:#}");
    let listed = quiz.folder.run("--json source list").json()["data"]["sources"][0].clone();
    assert_eq!((&listed["server"], &listed["service"]), (&"postgres:1/1".into(), &"app".into()));
    let adopted = quiz.folder.run("--json source adopt quiz").json()["data"].clone();
    assert_eq!(adopted["status"], "adopted");
    assert_eq!(adopted["adopted"][0]["now"], identity(&quiz));
    let json = quiz.finds(0, &[]);
    assert!(found(&json, "app", "identity").contains("which a person adopted"), "{json:#}");
    // Who can not be asked is not adopted.
    quiz.follow(&quiz.url_as("nobody"), "public.question");
    let ran = quiz.folder.run("--json source adopt quiz");
    assert_eq!((ran.code, ran.problems()), (5, vec!["E-POSTGRES-LOGIN".to_owned()]));
}

#[test]
fn what_was_put_there_is_taken_out_again_and_nothing_else() {
    let Some(quiz) = Quiz::of(&[], &[]) else { return };
    assert_eq!(
        quiz.folder.run("--json source detach quiz").json()["data"]["status"],
        "already_detached"
    );
    let instance = followed(&quiz, &identity(&quiz));
    let oid = quiz.sql("select oid from pg_database where datname = current_database()");
    let slot = slot_name(&instance.name, oid.parse().unwrap());
    let publication = publication_name(&instance.name);
    let other = format!("instep_other_{oid}");
    quiz.sql(&format!("create publication {publication} for table question"));
    quiz.sql("create publication instep_other");
    for slot in [&slot, &other] {
        quiz.sql(&format!("select pg_create_logical_replication_slot('{slot}', 'pgoutput')"));
    }
    // What is ours is in use; of the other one a person is warned.
    let json = quiz.doctor().json();
    let said = found(&json, "app", "capability");
    assert!(said.contains("nobody reads it now"), "{json:#}");
    assert!(said.contains(&format!("nobody reads the slot {other}")), "{json:#}");
    let detached = quiz.folder.run("--json source detach quiz").json()["data"].clone();
    assert_eq!(detached["status"], "detached", "{detached:#}");
    let left = "select string_agg(it, ' ' order by it) from (select slot_name::text it from
        pg_replication_slots where database = current_database()
        union all select pubname::text from pg_publication) it";
    assert_eq!(quiz.sql(left), format!("instep_other {other}"));
    let again = quiz.folder.run("--json source detach quiz").json()["data"]["status"].clone();
    assert_eq!(again, "already_detached");
}
