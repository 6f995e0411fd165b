//! What a person reads, for verdicts of every kind.

use super::super::sampled::whole;
use super::*;
use compare::{Cause, ColumnDifference, Unread};
use model::{Code, Fault};

const PATIENCE: Duration = Duration::from_secs(30);

fn column(name: &str, source: Option<Value>, copy: Option<Value>) -> ColumnDifference {
    ColumnDifference { name: name.into(), source, copy }
}

fn difference(id: i64, kind: Kind, columns: Vec<ColumnDifference>) -> Difference {
    let key = vec![("id".into(), Value::Int(id))];
    Difference { key, kind, cause: Cause::Unknown, columns }
}

#[test]
fn a_verdict_is_one_sentence() {
    let equal = whole(|it| it.compared = 1_000_000);
    assert_eq!(
        sentence(&equal, PATIENCE),
        "in step: 1,000,000 rows of public.questions are the same in the copy (1.4 s, position \
         0/16B3748; a row counts as different once it stays so for 5 s)"
    );
    let differs = whole(|it| (it.missing, it.extra, it.different) = (1, 2, 1));
    assert_eq!(
        sentence(&differs, PATIENCE),
        "4 rows differ: 1 missing, 2 extra, 1 different of 1,000 compared (1.4 s, position 0/16B3748)"
    );
    let open = whole(|it| {
        (it.missing, it.orphans, it.unsettled, it.is_partial) = (1, 3, 2, true);
        (it.position, it.sampled) = (None, Some(5.0));
    });
    assert_eq!(
        sentence(&open, PATIENCE),
        "4 rows differ: 1 missing, 0 extra, 0 different, 3 without the row that they refer to of 1,000 \
         compared in a sample of 5 %; beside that 2 did not match and were not looked at for long \
         enough, it was told to stop before its end (1.4 s)"
    );
    let changing = whole(|it| it.unsettled = 2);
    let told = sentence(&changing, PATIENCE);
    assert!(
        told.starts_with("unverified: 2 kept changing and did not settle within 30 s;"),
        "{told}"
    );
    let unread = whole(|it| {
        let why = Fault::stop(Code::PostgresRefused, "no such type");
        it.unread.push(Unread { what: "the column a\u{1b}b".into(), why });
    });
    assert_eq!(
        sentence(&unread, PATIENCE),
        "unverified: the column a·b could not be compared; 1,000 rows were compared, and no difference \
         has settled (1.4 s, position 0/16B3748; a row counts as different once it stays so for 5 s)"
    );
    let counts = whole(|it| (it.method, it.different) = (Method::Counts, 1));
    assert!(sentence(&counts, PATIENCE).starts_with("1 number differs: 0 missing"));
}

#[test]
fn values_are_masked_until_they_are_asked_for() {
    let differs = whole(|it| {
        (it.missing, it.different) = (1, 7);
        it.differences = vec![
            difference(
                1,
                Kind::Different,
                vec![
                    column("title", Some("s3cret\u{202e}".into()), Some(Value::Null)),
                    column("n", Some(Value::Int(1)), None),
                ],
            ),
            difference(
                2,
                Kind::Missing,
                vec![column("title", Some("x".repeat(99).as_str().into()), None)],
            ),
        ];
    });
    let masked = differences(&differs, false);
    assert_eq!(
        masked,
        "KEY   KIND       CAUSE    COLUMNS\n\
         id=1  different  unknown  title ••• → •••, n ••• → •••\n\
         id=2  missing    unknown  title\n\
         … and 6 more; --limit-differences lists more of them\n"
    );
    let told = differences(&differs, true);
    assert!(told.contains("title \"s3cret·\" → null, n 1 → nothing\n"), "{told}");
    assert!(told.contains(&format!("title \"{}…\n", "x".repeat(59))), "{told}");
    assert_eq!(differences(&whole(|_| {}), true), "");
}

#[test]
fn what_is_compared_otherwise_than_it_stands_is_said_before() {
    let Compared { sides, .. } = &whole(|_| {}).parts[0];
    let agreed = |name: &str, rule, is_declared, note: Option<&str>| Agreed {
        copy: name.into(),
        source: if name == "b" { "was_b".into() } else { name.into() },
        declared: ["REAL".into(), "numeric".into()],
        is_key: false,
        rule,
        is_declared,
        note: note.map(str::to_owned),
    };
    let agreed = [
        agreed("a", Rule::Exact, false, None),
        agreed("b", Rule::Exact, false, None),
        agreed("c", Rule::Worth, false, Some("as decimals")),
        agreed("d", Rule::Trim, true, None),
    ];
    let text = before(&Before {
        shard: Some("questions-a"),
        sides,
        method: Method::Rows,
        settle: Duration::from_millis(500),
        agreed: &agreed,
        alone: &[("x".into(), "source"), ("y".into(), "source")],
    });
    assert_eq!(
        text,
        "source  public.questions in db:5432/quiz (PostgreSQL 15.4), service questions-a\n\
         copy    questions in /data/app.db (SQLite 3.50.4)\n\
         method  every row is read on both sides; a row counts as different once it stays so for 0.5 s\n\
         alone   only the source has x, y; not compared\n\
         \n\
         COLUMN  AT THE SOURCE  TYPES           COMPARED\n\
         b       was_b          numeric → REAL  exact\n\
         c                      numeric → REAL  worth; as decimals\n\
         d                      numeric → REAL  trim, as asked for\n\n"
    );
}

#[test]
fn numbers_and_times_read_well() {
    let numbers = [0, 999, 1_000, 12_345, 1_234_567].map(thousands);
    assert_eq!(numbers, ["0", "999", "1,000", "12,345", "1,234,567"]);
    let times = [0, 45, 1_449, 9_950, 59_999, 61_000, 3_660_000].map(Duration::from_millis);
    let said = ["0 s", "45 ms", "1.4 s", "9.9 s", "59 s", "1 min 1 s", "1 h 1 min"];
    assert_eq!(times.map(span), said);
}
