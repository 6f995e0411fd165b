//! The server for tests: it answers, survives a crash of its own, and goes when it is let go.

use instep_testkit::postgres::{Settings, shared, start};

#[test]
fn a_server_answers_and_decodes() {
    let Some(server) = shared() else { return };
    let database = server.database();
    let made = "select 1 from pg_create_logical_replication_slot('answers', 'pgoutput', true)";
    let answer = server.sql(&database, &format!("select current_database(); {made}"));
    assert_eq!(answer, format!("{database}\n1"));
    assert!(!server.try_sql(&database, "select no_such_function()").status.success());
}

#[test]
fn a_server_of_ones_own_has_its_settings_and_goes_with_its_owner() {
    let lines = vec!["work_mem = '7MB'".to_owned()];
    let Some(server) = start(&Settings { lines, ..Settings::default() }) else { return };
    assert_eq!(server.sql("postgres", "show work_mem"), "7MB");
    server.sql("postgres", "create table kept as select 7 as it");
    server.crash();
    assert_eq!(server.sql("postgres", "select it from kept"), "7");
    let folder = server.folder().to_owned();
    drop(server);
    assert!(!folder.exists());
}
