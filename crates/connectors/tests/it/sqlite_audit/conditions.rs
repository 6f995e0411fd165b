//! Which rows: conditions as SQLite takes them, and nothing else.

use super::rig::{Rig, ask, key, keys};
use model::{Ask, Code, Fate, Key, Kind};

const TABLE: &str = "create table t (id integer primary key, state text, n int);
     insert into t values (1, 'open', 1), (2, 'closed', 2), (3, null, 3), (4, 'open', 4);
     create table other (id integer primary key);";

fn with(condition: &str) -> Ask {
    Ask { condition: Some(condition.into()), ..ask("t", &[("id", Kind::Int)], &[("n", Kind::Int)]) }
}

#[tokio::test]
async fn a_condition_chooses_among_the_rows() {
    let rig = Rig::new(TABLE);
    let mut session = rig.session().await;
    for (condition, found) in [
        ("state = 'open'", vec![1, 4]),
        ("state = 'open' or n = 2", vec![1, 2, 4]),
        ("state <> 'open' -- whatever", vec![2]),
        ("n in (select n from t where n > 2)", vec![3, 4]),
        ("t.n > 3 or main.t.\"state\" is null", vec![3, 4]),
        ("state = ';'", vec![]),
    ] {
        session.admit(&with(condition)).await.unwrap();
        let found: Vec<Key> = found.into_iter().map(key).collect();
        assert_eq!(keys(session.as_mut(), &with(condition), 1).await, found, "{condition}");
    }
}

#[tokio::test]
async fn a_row_that_is_looked_for_says_whether_the_condition_holds() {
    let rig = Rig::new(TABLE);
    let mut session = rig.session().await;
    let mut asked = with("state = 'open' or 0");
    let within = |found: &std::collections::BTreeMap<Key, model::Found>| {
        found.values().map(|it| it.is_within).collect::<Vec<_>>()
    };
    let all: Vec<Key> = (1..6).map(key).collect();
    let found = session.find(&asked, &all).await.unwrap();
    assert_eq!(within(&found), [true, false, false, true]);
    asked.from = Some((super::rig::wanted("n", Kind::Int), 2.into()));
    let found = session.find(&asked, &all).await.unwrap();
    assert_eq!(within(&found), [false, false, false, true]);
    assert!(found.values().all(|it| it.version == 0));
}

#[tokio::test]
async fn what_is_no_condition_is_refused_in_sqlites_own_words() {
    let rig = Rig::new(TABLE);
    let before = rig.files();
    let mut session = rig.session().await;
    for (condition, words) in [
        ("stat = 'open'", "no such column: stat"),
        ("\"stat\" = 'open'", "no such column: \"stat\""),
        ("state = \"open\"", "no such column: \"open\""),
        ("state = ", "incomplete input"),
        ("", "incomplete input"),
        ("1) or (1", "near \")\""),
        ("1) union select 1, 2 from other where (1", "near \")\""),
        ("1; delete from t", "more than one statement"),
        ("1); delete from t where (1", "near \")\""),
        ("1 /* ", "incomplete input"),
        ("1 order by id", "near \"order\""),
        ("1 limit 1", "near \"limit\""),
        ("1 group by id", "near \"group\""),
        ("count(*) > 1", "misuse of aggregate"),
        ("id = ?1", "parameters"),
        ("id = :id", "parameters"),
        ("load_extension('x')", "not authorized"),
        ("unheard_of(id)", "no such function"),
        ("id in (delete from t returning id)", "near \"delete\""),
        ("1\0", "incomplete input"),
    ] {
        let asked = with(condition);
        let mut refused = vec![session.rows(&asked, &model::Selection::ALL, 1).await.err()];
        if !condition.contains("load_extension") {
            refused.push(session.admit(&asked).await.err());
            refused.push(session.find(&asked, &[key(1)]).await.err());
            refused.push(session.cut(&asked, None, 1).await.err());
        }
        for refused in refused {
            let refused = refused.unwrap_or_else(|| panic!("{condition}"));
            assert_eq!(
                (refused.code, refused.fate),
                (Code::SqliteRefused, Fate::Stop),
                "{condition}"
            );
            assert!(refused.what.contains(words), "{condition}: {}", refused.what);
        }
    }
    assert_eq!(rig.files(), before);
}

#[tokio::test]
async fn a_column_or_a_table_that_is_not_there_is_refused() {
    let rig = Rig::new(TABLE);
    let mut session = rig.session().await;
    for asked in [
        ask("t", &[("no", Kind::Int)], &[]),
        ask("t", &[("id", Kind::Int)], &[("no", Kind::Int)]),
        ask("no", &[("id", Kind::Int)], &[]),
        Ask { from: Some((super::rig::wanted("no", Kind::Int), 1.into())), ..with("1") },
    ] {
        let refused = session.admit(&asked).await.unwrap_err();
        assert_eq!(refused.code, Code::SqliteRefused);
        assert!(refused.what.contains("no such"), "{}", refused.what);
    }
}
