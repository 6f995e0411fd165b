//! Conditions: what is read, what is refused and how that is said, and what rows they are true for.

use super::{BYTES_MAX, Condition, DEPTH_MAX, Misfit};
use model::{Cell, Column, Compares, Kind, Value};
use std::sync::{Arc, LazyLock};

mod naive;
mod random;

/// The columns of the tests, in the order of their cells.
const COLUMNS: [(&str, Kind); 14] = [
    ("i", Kind::Int),
    ("d", Kind::Decimal),
    ("f", Kind::Float),
    ("t", Kind::Text),
    ("b", Kind::Bool),
    ("day", Kind::Date),
    ("x", Kind::Any),
    ("at", Kind::TimestampTz),
    ("u", Kind::Uuid),
    ("span", Kind::Interval),
    ("blob", Kind::Bytes),
    ("doc", Kind::Json),
    ("list", Kind::Array),
    ("clock", Kind::TimeTz),
];

fn slot(name: &Arc<str>) -> Result<(usize, &'static Column), Misfit> {
    static BUILT: LazyLock<Vec<Column>> = LazyLock::new(|| {
        let column = |(name, kind): &(&str, Kind)| Column {
            name: (*name).into(),
            kind: *kind,
            declared: "".into(),
            nullable: true,
            compares: Compares::default(),
        };
        COLUMNS.iter().map(column).collect()
    });
    let found = COLUMNS.iter().position(|(column, _)| **column == **name);
    let place = found.ok_or_else(|| Misfit {
        column: Some(Arc::clone(name)),
        what: "it is not there".to_owned(),
        fix: "name another".to_owned(),
    })?;
    Ok((place, &BUILT[place]))
}

/// A row of NULLs, but for these cells.
fn row<const N: usize>(cells: [(&str, Cell); N]) -> Vec<Cell> {
    let mut row = vec![Cell::Value(Value::Null); COLUMNS.len()];
    for (name, cell) in cells {
        row[slot(&name.into()).unwrap().0] = cell;
    }
    row
}

fn counts(text: &str, cells: &[Cell]) -> bool {
    let condition = Condition::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let check = condition.resolve(&slot);
    check.unwrap_or_else(|misfit| panic!("{text}: {misfit:?}")).is_true(cells)
}

fn refused(text: &str) -> String {
    match Condition::parse(text) {
        Ok(read) => panic!("{text} was read as {read}"),
        Err(fault) => fault.to_string(),
    }
}

fn misfit(text: &str) -> Misfit {
    let condition = Condition::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    match condition.resolve(&slot) {
        Ok(check) => panic!("{text} was resolved to {check:?}"),
        Err(misfit) => misfit,
    }
}

#[test]
fn every_form_of_the_grammar_is_read_and_printed() {
    for (text, printed) in [
        ("deleted_at IS NULL", "deleted_at is null"),
        ("a=1 AND b<>2 OR NOT c<=-3", "a = 1 and b <> 2 or not c <= -3"),
        ("(a=1 and b>2) or c>=3", "a = 1 and b > 2 or c >= 3"),
        ("a=1 and (b<2 or c=3)", "a = 1 and (b < 2 or c = 3)"),
        ("not (a and b)", "not (a and b)"),
        ("not a is null", "not a is null"),
        ("(not a) is null", "(not a) is null"),
        ("(a = 1) is not true", "a = 1 is not true"),
        ("a not in (1,2.50,'it''s',null)", "a not in (1, 2.50, 'it''s', null)"),
        ("a not between 1 and 2 and b", "a not between 1 and 2 and b"),
        ("(((a)))=((1))", "a = 1"),
        ("\"Order\" = \"and\" or \"a\"\"b\" = _x$1", "Order = \"and\" or \"a\"\"b\" = _x$1"),
        ("a is not false and True", "a is not false and true"),
        ("9223372036854775807 = +9223372036854775808", "9223372036854775807 = 9223372036854775808"),
        ("-9223372036854775808 < .5", "-9223372036854775808 < 0.5"),
        ("a and (b and c)", "a and (b and c)"),
        ("not not a", "not not a"),
        ("\n a \t= 'é\u{0}\n' ", "a = 'é\u{0}\n'"),
    ] {
        let read = Condition::parse(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
        assert_eq!(read.to_string(), printed, "{text}");
        assert_eq!(Condition::parse(printed).as_ref(), Ok(&read), "{text}");
    }
}

#[test]
fn what_is_no_condition_is_refused_with_its_place_and_a_remedy() {
    for (text, said) in [
        ("", "at byte 0: the condition ends too early; write a column or a literal here"),
        ("a = ", "at byte 4: the condition ends too early; write a column or a literal here"),
        ("a == 1", "at byte 2: '=' has no meaning here; write a single = for equal"),
        ("a != 1", "at byte 2: '!' has no meaning here; write <> for unequal"),
        (
            "lower(a) = 'x'",
            "at byte 0: `lower` is called like a function, and a condition has none",
        ),
        ("a = now ()", "at byte 4: `now` is called like a function"),
        ("a like 'x%'", "at byte 2: `like` cannot stand here; join conditions with `and` or `or`"),
        ("a = 1 = 2", "at byte 6: `=` cannot stand here; compare two at a time"),
        ("a + 1 = 2", "at byte 2: `+` cannot stand here; compare columns as they are, without"),
        ("a * 2 = 4", "at byte 2: '*' has no meaning here; compare columns as they are, without"),
        ("q.a = 1", "at byte 1: '.' has no meaning here; write the column alone"),
        (
            "a::text = ''",
            "at byte 1: ':' has no meaning here; compare columns as they are, without",
        ),
        ("a && b", "at byte 2: '&' has no meaning here; join conditions with `and` and `or`"),
        ("`a` = 1", "at byte 0: '`' has no meaning here; write \"…\" around a column"),
        ("a = 'x", "at byte 4: a text does not end; close it with '"),
        ("\"a = 1", "at byte 0: a quoted column does not end; close it with \""),
        ("\"\" = 1", "at byte 0: a column has no name; write the name between the quotes"),
        ("a = 1e5", "at byte 5: a number ends in what is no digit; write it out"),
        ("a = 1.", "at byte 4: a number has no digit after its point"),
        ("a = 1.2.3", "at byte 7: a number ends in what is no digit"),
        ("a = - b", "at byte 6: `b` cannot stand here; write a number after its sign"),
        ("a = -+1", "at byte 5: `+` cannot stand here; write a number after its sign"),
        ("a in ()", "at byte 6: `)` cannot stand here; write a column or a literal here"),
        ("a in 1", "at byte 5: `1` cannot stand here; write the values of `in` as (1, 2, 3)"),
        ("a in (1 2)", "at byte 8: `2` cannot stand here; write a comma between values"),
        ("a between 1 or 2", "at byte 12: `or` cannot stand here; write `between LOW and HIGH`"),
        ("a not = 1", "at byte 6: `=` cannot stand here; write `in` or `between` after this `not`"),
        ("a is 1", "at byte 5: `1` cannot stand here; write null, true or false after `is`"),
        ("a is null is null", "at byte 10: `is` cannot stand here; compare two at a time"),
        ("(a = 1", "at byte 6: the condition ends too early; close the parenthesis with )"),
        ("a = 1)", "at byte 5: `)` cannot stand here; take out this ), or open a ( before"),
        (
            "(a = 1) = true",
            "at byte 0: a condition cannot be compared; compare columns and literals",
        ),
        ("a, b", "at byte 1: `,` cannot stand here; join conditions with `and` or `or`"),
        ("a = 1; drop table q", "at byte 5: ';' has no meaning here"),
        ("a = $1", "at byte 4: '$' has no meaning here"),
        ("café = 1", "at byte 3: 'é' has no meaning here"),
    ] {
        let fault = refused(text);
        assert!(fault.starts_with(said), "{text}\n  gave {fault}\n  not  {said}");
        assert!(fault.contains("; "), "{fault} has no remedy");
    }
}

#[test]
fn depth_and_length_are_bound() {
    for (open, close) in [("(", ")"), ("not ", ""), ("not (", ")")] {
        let nested = |depth: usize| format!("{}a{}", open.repeat(depth), close.repeat(depth));
        let levels = open.matches(['(', 'n']).count();
        assert!(Condition::parse(&nested(DEPTH_MAX / levels)).is_ok());
        let fault = refused(&nested(DEPTH_MAX / levels + 1));
        assert!(fault.contains("more than 64 deep"), "{fault}");
        assert!(Condition::parse(&open.repeat(1_000_000)).is_err());
    }
    let wide = |count: usize| format!("a{}", " or a".repeat(count));
    assert!(Condition::parse(&wide(BYTES_MAX / 5)).is_ok());
    assert!(refused(&wide(BYTES_MAX / 5 + 1)).contains("more than 4096 bytes"));
    let shorter_than_printed = format!("a=a{}", " or a=a".repeat(500));
    assert!(shorter_than_printed.len() < BYTES_MAX);
    assert!(refused(&shorter_than_printed).contains("more than 4096 bytes"));
}

#[test]
fn the_columns_of_a_condition_are_known() {
    let condition =
        Condition::parse("b = 1 and (a is null or \"C c\" in (d, 'e')) and not f").unwrap();
    let columns: Vec<_> = condition.columns().into_iter().map(|column| &**column).collect();
    assert_eq!(columns, ["C c", "a", "b", "d", "f"]);
}

#[test]
fn null_is_unknown_as_in_sql() {
    let nothing = row([]);
    let missing = row([("i", Cell::Missing), ("b", Cell::Missing)]);
    for cells in [&nothing, &missing] {
        for text in [
            "i = 1",
            "i <> 1",
            "i = null",
            "null = null",
            "i in (1, 2)",
            "i not in (1, 2)",
            "i between 1 and 2",
            "i not between 1 and 2",
            "b",
            "not b",
            "b = b",
            "null",
            "i is not null",
            "b is true",
            "b is false",
            "b and true",
            "i = 1 or false",
        ] {
            assert!(!counts(text, cells), "{text}");
        }
        for text in [
            "i is null",
            "b is not true",
            "b is not false",
            "(i = 1) is null",
            "not (i = 1 and false)",
            "i = 1 or true",
            "(not b) is null",
            "b is null",
        ] {
            assert!(counts(text, cells), "{text}");
        }
    }
    let three = row([("i", Cell::from(3_i64))]);
    assert!(counts("i in (3, null)", &three), "found beside a NULL");
    assert!(!counts("i not in (4, null)", &three), "it might be the NULL");
    assert!(counts("i not in (4, 5)", &three));
    assert!(counts("not i between null and 2", &three), "above the known end");
    assert!(!counts("i between null and 4", &three));
}

#[test]
fn numbers_compare_by_value_and_text_by_its_bytes() {
    let decimal = |text: &str| Cell::Value(Value::Decimal(text.parse().unwrap()));
    let cells = row([
        ("i", Cell::from(9_007_199_254_740_993_i64)),
        ("d", decimal("1.50")),
        ("f", Cell::from(0.1)),
        ("t", Cell::from("b ")),
    ]);
    for text in [
        "d = 1.5",
        "d = 1.500",
        "d > 1",
        "d < i",
        "f < d",
        "f = 0.1",
        "f <> 0.10000000000000002",
        "i = 9007199254740993",
        "i > 9007199254740992.5",
        "t = 'b '",
        "t > 'a'",
        "t > 'B'",
        "t < 'é'",
    ] {
        assert!(counts(text, &cells), "{text}");
    }
    for text in ["t = 'b'", "t = 'B '", "i = 9007199254740992", "d = f"] {
        assert!(!counts(text, &cells), "{text}");
    }
    let cells = row([
        ("i", Cell::from(9_007_199_254_740_993_i64)),
        ("f", Cell::from(9_007_199_254_740_992.0)),
    ]);
    assert!(counts("i > f and not i = f", &cells), "columns compare exactly");
    let tenth = row([("d", decimal("0.1")), ("f", Cell::from(0.1))]);
    assert!(counts("d < f", &tenth), "the float is a little more than a tenth");
    let huge = row([("d", decimal("1e400")), ("f", Cell::from(f64::INFINITY))]);
    assert!(counts("d < f and not d = f", &huge));
    let nan = row([("d", decimal("NaN")), ("f", Cell::from(f64::NAN))]);
    assert!(counts("d = f and f = f and f > 1 and not f < 1", &nan));
    let zero = row([("i", Cell::from(0_i64)), ("f", Cell::from(-0.0))]);
    assert!(counts("i = f and f = 0 and f = -0.0", &zero));
}

#[test]
fn dates_times_and_uuids_compare_with_texts_written_in_the_one_way() {
    let cells = row([
        ("day", Cell::Value(Value::Date(model::Moment::At(19_782)))),
        ("at", Cell::Value(Value::TimestampTz(model::Moment::At(0)))),
        ("u", Cell::Value(Value::Uuid([0xab; 16]))),
    ]);
    for text in [
        "day = '2024-02-29'",
        "day between '2024-01-01' and '2024-12-31'",
        "'2024-03-01' > day",
        "day < 'infinity'",
        "at = '1970-01-01 00:00:00Z'",
        "at in ('1970-01-01T01:00:00+01', null)",
        "u = 'ABABABAB-abab-abab-abab-abababababab'",
        "day is not null and day = day",
    ] {
        assert!(counts(text, &cells), "{text}");
    }
    for (text, fix) in [
        ("day = '29.02.2024'", "write it as '2024-02-29'"),
        ("day = 20240229", "write it as '2024-02-29'"),
        ("day >= '2024-02-29 00:00:00'", "write it as '2024-02-29'"),
        ("at > '2024-02-29 00:00:00'", "write it as '2024-02-29 23:59:59Z' or"),
        ("u = 'ab'", "write it as '123e4567-"),
    ] {
        let misfit = misfit(text);
        assert!(misfit.fix.starts_with(fix) && misfit.column.is_some(), "{text}: {misfit:?}");
    }
}

#[test]
fn what_can_never_be_compared_is_refused_before_any_row_comes() {
    for (text, column, what) in [
        ("i = '5'", Some("i"), "a column of numbers is compared with a text"),
        ("i = true", Some("i"), "a column of numbers is compared with true or false"),
        ("t = 5", Some("t"), "a column of texts is compared with a number"),
        ("b = 1", Some("b"), "a column of true and false is compared with a number"),
        ("1 = t", Some("t"), "a column of texts is compared with a number"),
        ("i = t", Some("i"), "a column of numbers is compared with `t`, a column of texts"),
        ("i in (1, 'x')", Some("i"), "a column of numbers is compared with a text"),
        ("t between 'a' and 2", Some("t"), "a column of texts is compared with a number"),
        (
            "day = at",
            Some("day"),
            "a column of dates is compared with `at`, a column of timestamps",
        ),
        ("x = day", Some("x"), "a column of any kind is compared with `day`, a column of dates"),
        ("span = '1 day'", Some("span"), "a column of intervals has no order"),
        ("blob = 'x'", Some("blob"), "a column of bytes has no order"),
        ("doc = '{}'", Some("doc"), "a column of JSON has no order"),
        ("list = list", Some("list"), "a column of arrays has no order"),
        ("clock < '12:00:00'", Some("clock"), "a column of times of day has no order"),
        ("1 = 'x'", None, "a number is compared with a text"),
        ("i", Some("i"), "a column of numbers is not true or false by itself"),
        ("x is true", Some("x"), "a column of any kind is not true or false by itself"),
        ("i and b", Some("i"), "a column of numbers is not true or false by itself"),
        ("1", None, "a number or text is not true or false by itself"),
        ("nowhere = 1", Some("nowhere"), "it is not there"),
    ] {
        let misfit = misfit(text);
        assert_eq!(misfit.column.as_deref(), column, "{text}");
        assert!(misfit.what.starts_with(what), "{text}: {misfit:?}");
        assert!(!misfit.fix.is_empty());
    }
    assert!(counts("doc is null and span is null and list is null and blob is null", &row([])));
}

#[test]
fn columns_of_any_kind_compare_as_their_source_does() {
    for (cell, holds) in [
        (Cell::from(1_i64), "x = 1 and x = 1.0 and x = true and x < 'a' and x <> '1'"),
        (Cell::from(0.1), "x = 0.1 and x < 1"),
        (Cell::from("1"), "x = '1' and x > 1 and x <> 1"),
        (Cell::from(true), "x = true and x = 1"),
        (Cell::Value(Value::Bytes([1].into())), "x > 'zzz' and x <> 'a' and x > 5"),
        (Cell::Missing, "x is null and (x = 1) is null"),
    ] {
        assert!(counts(holds, &row([("x", cell)])), "{holds}");
    }
}
