//! A role with just the rights that it needs, and what is said where one is missing (SE11).

use super::rig::{Led, Rig, TABLE, tenure};
use instep_connectors::postgres::{PostgresCopyRows, PostgresTarget};
use model::{Code, Effect, Fate, Fault, Leadership, Mode, Outcome, Target};
use testkit::conformance::rows::{self, key, row};

/// What the role needs: the books made by an admin and given to it, and its rows.
fn granted(role: &str, database: &str) -> String {
    format!(
        "create role {role} login; revoke all on database {database} from public;
         revoke all on schema public from public; grant connect on database {database} to {role};
         create schema instep authorization {role}; grant usage on schema public to {role};
         grant select, insert, update, delete on public.questions_copy to {role}"
    )
}

fn as_role(rig: &Rig, role: &str) -> PostgresTarget {
    PostgresTarget::new(rig.access_as(role), vec![rig.copy.clone()])
}

async fn led(target: &PostgresTarget) -> Result<Led, Fault> {
    use model::Service;
    let mut target: Box<dyn Target> = target.connect().await?;
    let lane = model::Lane::from("lane");
    match target.lead(&lane, &tenure(1)).await? {
        Leadership::Held(epoch) => Ok(Led { target, lane, epoch }),
        elsewhere => panic!("{elsewhere:?}"),
    }
}

/// Everything that is ever done with a copy.
async fn works(rig: &Rig, role: &str) -> Result<(), Fault> {
    let mut led = led(&as_role(rig, role)).await?;
    let steps = [
        vec![rig.insert(row(1, 1, "a")), rig.insert(row(2, 2, "a"))],
        vec![rig.put(row(1, 2, "b")), rig.put(row(3, 3, "b"))],
        vec![rig.write(Effect::Delete(key(2)))],
        vec![rig.write(Effect::Truncate), rig.insert(row(7, 7, "c"))],
    ];
    for (number, writes) in (1..).zip(steps) {
        for mode in [Mode::Together, Mode::RowByRow] {
            let batch = led.batch(number, writes.clone());
            let outcome = led.target.apply(&batch, mode).await?;
            assert_eq!(outcome, Outcome::Written { flushed: None, refused: vec![] });
        }
    }
    led.target.standing(&led.lane).await?;
    let (copy, of) = (rig.copy.clone(), rig.table.name.clone());
    let service = PostgresCopyRows::new(rig.access_as(role), copy, of, None);
    let found = rows::all(&service, &rig.table).await;
    assert_eq!(found, rows::rows([row(7, 7, "c")]));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_with_the_least_rights_does_everything() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let role = format!("least_{}", rig.database);
    rig.sql(&granted(&role, &rig.database));
    works(&rig, &role).await.expect("it may");
    // What an earlier connection left open is ended without more rights.
    let target = as_role(&rig, &role);
    let mut earlier = led(&target).await.expect("it may");
    let mut first = earlier.batch(9, vec![rig.insert(row(8, 8, "a"))]);
    first.last = false;
    earlier.target.apply(&first, Mode::Together).await.expect("taken");
    let mut later = led(&target).await.expect("it may");
    assert_eq!(later.together(9, vec![rig.insert(row(8, 8, "b"))]).await, None);
    assert_eq!(rig.sql("select body from questions_copy where id = 8"), "b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_is_named_and_once_it_is_given_work_goes_on() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let role = format!("lacking_{}", rig.database);
    rig.sql(&granted(&role, &rig.database));
    let database = &rig.database;
    for (right, on, named) in [
        ("connect", format!("database {database}"), database.as_str()),
        ("usage", "schema public".to_owned(), "public"),
        ("select", "public.questions_copy".to_owned(), "questions_copy"),
        ("insert", "public.questions_copy".to_owned(), "questions_copy"),
        ("update", "public.questions_copy".to_owned(), "questions_copy"),
        ("delete", "public.questions_copy".to_owned(), "questions_copy"),
    ] {
        rig.sql(&format!("truncate public.questions_copy; revoke {right} on {on} from {role}"));
        let fault = works(&rig, &role).await.expect_err("it lacks a right");
        assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::PostgresPrivilege), "{fault}");
        assert!(fault.what.contains("permission denied") && fault.what.contains(named), "{fault}");
        rig.sql(&format!("truncate public.questions_copy; grant {right} on {on} to {role}"));
        works(&rig, &role).await.unwrap_or_else(|fault| panic!("{right}: {fault}"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_make_the_books_is_told_what_makes_them() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let role = format!("bookless_{}", rig.database);
    rig.sql(&granted(&role, &rig.database).replace("create schema instep", "create schema other"));
    let fault = works(&rig, &role).await.expect_err("it may not");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::PostgresPrivilege));
    let told = format!("create schema instep authorization \"{role}\"");
    assert!(fault.what.contains(&told), "{fault}");
    rig.sql(&told);
    works(&rig, &role).await.expect("it may");
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_are_not_the_roles_own_are_enough_with_the_rights_to_their_rows() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let role = format!("guest_{}", rig.database);
    // Made by somebody else, who was first.
    rig.lead().await;
    rig.sql(&granted(&role, &rig.database).replace("create schema instep", "create schema other"));
    let fault = works(&rig, &role).await.expect_err("it may not look");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::PostgresPrivilege), "{fault}");
    assert!(fault.what.contains("instep"), "{fault}");
    rig.sql(&format!(
        "grant usage on schema instep to {role};
         grant select, insert, update, delete on all tables in schema instep to {role};
         delete from instep.leases"
    ));
    works(&rig, &role).await.expect("it may");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_to_the_books_that_is_lost_on_the_way_leaves_nothing_open() {
    let Some(rig) = Rig::new(TABLE) else { return };
    let role = format!("losing_{}", rig.database);
    rig.sql(&granted(&role, &rig.database));
    let mut led = led(&as_role(&rig, &role)).await.expect("it may");
    assert_eq!(led.together(1, vec![rig.insert(row(1, 1, "a"))]).await, None);
    // A column that comes is noted in the books.
    let mut table = rig.table.as_ref().clone();
    table.columns.push(model::Column { name: "more".into(), ..table.columns[2].clone() });
    let mut longer = row(2, 2, "b");
    longer.0.push("more".into());
    let mut write = rig.put(longer);
    write.table = table.into();
    rig.sql(&format!(
        "alter table public.questions_copy add more text;
         revoke update on instep.passes from {role}"
    ));
    let batch = led.batch(2, vec![write.clone()]);
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("it may not");
    assert_eq!(fault.code, Code::PostgresPrivilege, "{fault}");
    rig.sql(&format!("grant update on instep.passes to {role}"));
    let fault = led.target.apply(&batch, Mode::Together).await.expect_err("rows lack it");
    assert_eq!((fault.fate, fault.code), (Fate::Retry, Code::CopyColumnAdded), "{fault}");
    assert_eq!(led.together(2, vec![write]).await, None);
    assert_eq!(rig.sql("select id, more from questions_copy order by id"), "1|\n2|more");
}
