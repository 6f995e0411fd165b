//! What is easily answered otherwise than SQLite does, one by one: as SQLite, or refused with a reason.

use super::values::Filled;

/// Columns of every affinity, with rows at the edges.
fn edges() -> Filled {
    Filled::new(|connection| {
        connection
            .execute_batch(
                "create table t (id integer primary key, n int, r real, x text, y text, b, d,
                                 nocase text collate nocase, own text collate rtrim,
                                 g text as (n), \"select\" numeric);
                 insert into t (n, r, x, y, b, d, nocase, own, \"select\") values
                    (null, null, null, null, null, null, null, null, null),
                    (1, 1, 1, '1', 1, 1.0, 'a', 'a', '1'),
                    ('1', '1', '1', '', '1', '', 'A', 'a ', '1.0'),
                    (1.0, 1.5, 1.0, '1.0', 1.0, x'', 'b', 'b', ' 1 '),
                    (9007199254740993, 9007199254740993, 9007199254740993, '', 9007199254740993,
                        9007199254740992.0, '', '', '9007199254740993'),
                    (9223372036854775807, 9223372036854775807, 9223372036854775807, 'a',
                        9223372036854775807, 9223372036854775808.0, '', '', 9223372036854775808),
                    (-0.0, -0.0, -0.0, '-0.0', -0.0, 0, '0', '0', '-0'),
                    (9e999, -9e999, 9e999, 'Inf', 9e999, -9e999, 'x', 'x', '1e400'),
                    ('abc', 'abc', 'abc', 'abd', 'abc', x'616263', 'abc', 'abc', 'abc'),
                    (x'31', x'31', x'31', '1', x'31', '1', 'x', 'x', x'31'),
                    ('a' || char(0) || 'b', 0.1, 'a' || char(0), 'a', 'a' || char(0), 'a', 'x', 'x', 0.1),
                    ('', '', '', '', '', '', '', '', '');",
            )
            .unwrap();
    })
}

/// Conditions that are easily read in another way.
const TAKEN: &[&str] = &[
    "n = '1'",
    "n = ' 1.0 '",
    "n = '1e0'",
    "n = 'abc'",
    "n = ''",
    "n <> ''",
    "n < 'a'",
    "n > 'a'",
    "n = 9007199254740993",
    "n = '9007199254740993'",
    "n = true",
    "n <> false",
    "r = 1",
    "r = 1.50",
    "r = '1.50'",
    "r = 0.1",
    "r = 9007199254740992",
    "r < -1",
    "r > 9223372036854775807",
    "x = 1",
    "x = '1'",
    "x = true",
    "x <> 1",
    "x = ''",
    "x in (1, 'abc')",
    "x not in (1, null)",
    "x between 0 and 2",
    "x between '0' and 'b'",
    "b = 1",
    "b = '1'",
    "b = 1.0",
    "b in ('1', 1)",
    "b not in (1)",
    "b > 'zzz'",
    "b <= ''",
    "b between 1 and 'b'",
    "b = -0.0",
    "n = 0",
    "x = -0",
    "b = d",
    "b <> d",
    "x = b",
    "x = y",
    "x < y",
    "n = r",
    "n <= \"select\"",
    "n > r",
    "\"select\" = 1",
    "\"select\" = '01'",
    "\"select\" > 9223372036854775807",
    "g = 1",
    "g = '1'",
    "g = x",
    "nocase is null",
    "own is not null",
    "(n = 1) is null",
    "(n = 1) is not true",
    "not n = 1",
    "not (x < 1)",
    "n = null",
    "n is null or null",
    "n = 1 and null",
    "1 = 1",
    "null = null",
    "0.5 < 1",
    "n between null and 1",
    "n not between 2 and null",
    "x not between 'b' and null",
    "x = 'a' or x > '9' and not x < 'a'",
    "d = ''",
    "d > ''",
    "1 < b",
    "'a' <= b",
    "'1' = n",
];

#[test]
fn what_is_taken_at_the_edges_counts_as_sqlite_does() {
    let filled = edges();
    for condition in TAKEN {
        for by in [&[][..], &["n"], &["r", "x"], &["b"], &["d", "g"], &["select"]] {
            let numbers = filled.counted(by, condition);
            assert_eq!(numbers, Ok(filled.asked(by, condition)), "{condition}, {by:?}");
        }
    }
}

#[test]
fn what_would_be_answered_otherwise_is_refused_with_its_reason() {
    let filled = edges();
    for (by, condition, why) in [
        (
            &[][..],
            "nocase = 'a'",
            "column nocase: its texts compare as nocase does, not byte by byte",
        ),
        (&[], "nocase in (1, 2)", "column nocase: its texts compare as nocase does"),
        (&[], "own between 'a' and 'b'", "column own: its texts compare as rtrim does"),
        (&[], "x = own", "column own: its texts compare as rtrim does"),
        (
            &["nocase"],
            "n = 1",
            "column nocase: it cannot be grouped by: its texts compare as nocase",
        ),
        (&["x", "own"], "n = 1", "column own: it cannot be grouped by: its texts compare as rtrim"),
        (&[], "x = 1.5", "column x: a column of texts is compared with a number that is not whole"),
        (&[], "x = 9223372036854775808", "column x: a column of texts is compared with a number"),
        (
            &[],
            "n = 9007199254740992.5",
            "column n: a number with a fraction, or beyond 64 bits, has",
        ),
        (
            &[],
            "n < 9223372036854775808",
            "column n: a number with a fraction, or beyond 64 bits, has",
        ),
        (&[], "n = '1e400'", "column n: a number with a fraction, or beyond 64 bits, has"),
        (
            &[],
            "n = '1\u{0}'",
            "column n: a column of numbers is compared with a text that has a NUL",
        ),
        (&[], "n = x", "column n: it is compared with `x`, where one is declared as numbers and"),
        (&[], "b > r", "column b: it is compared with `r`, where one is declared as numbers and"),
        (&[], "n in (1, x)", "column x: it stands in the list of an `in`, where its source"),
        (&[], "1 in (b)", "column b: it stands in the list of an `in`, where its source"),
        (&[], "n", "column n: a column of any kind is not true or false by itself"),
        (&[], "b is true", "column b: a column of any kind is not true or false by itself"),
        (&[], "1 = '1'", "a number is compared with a text"),
        (&[], "9007199254740993 = 9007199254740992.0000001", "a number with a fraction, or beyond"),
        (&[], "N = 1", "column N: t has no such column; write \"n\" as the table does"),
        (&[], "n = \"1\"", "column 1: t has no such column"),
        (&[], "n = 1e400", "at byte 5: a number ends in what is no digit"),
        (&[], "b = x'31'", "at byte 5: a text cannot stand here"),
        (&[], "n == 1", "at byte 2: '=' has no meaning here"),
        (&[], "n != 1", "at byte 2: '!' has no meaning here"),
        (&[], "n is 1", "at byte 5: `1` cannot stand here"),
        (&[], "x like 'a%'", "at byte 2: `like` cannot stand here"),
        (&[], "x = 'a' collate nocase", "at byte 8: `collate` cannot stand here"),
        (&[], "n in ()", "at byte 6: `)` cannot stand here"),
        (&[], "(n = 1) = (x = 1)", "at byte 0: a condition cannot be compared"),
    ] {
        let found = filled.counted(by, condition).expect_err(condition);
        assert!(found.contains(why), "{condition}\n  gave {found}\n  not  {why}");
    }
}

#[test]
fn a_text_with_a_nul_is_compared_to_its_end() {
    let filled = edges();
    let numbers = filled.counted(&[], "x = 'a\u{0}'").unwrap();
    assert_eq!(numbers, filled.asked(&[], "x = 'a' || char(0)"));
    assert_eq!(numbers.values().sum::<i64>(), 1);
}

#[test]
fn columns_of_strict_tables_compare_as_sqlite_does() {
    let filled = Filled::new(|connection| {
        connection
            .execute_batch(
                "create table t (id integer primary key, n int, r real, x text, y blob, z any) strict;
                 insert into t (n, r, x, y, z) values (1, 1, 1, x'31', '1'), ('2', '2', 2, x'', 2),
                    (null, null, null, null, null), (9007199254740993, 0.1, '', x'61', '01'),
                    (-9223372036854775808, -0.0, 'a', x'ff', x'31');",
            )
            .unwrap();
    });
    for condition in [
        "n = '1'",
        "n = true",
        "n < 1.5",
        "n = r",
        "n <> 'a'",
        "r = '1.0'",
        "r >= 0",
        "r < 0.5",
        "x = 1",
        "x = '1'",
        "x < y",
        "y = '1'",
        "y > 'a'",
        "y = null",
        "y is null",
        "z = 1",
        "z = '1'",
        "z <> '01'",
        "z > 1",
        "z = x",
        "y <> z",
        "n in (1, '2')",
        "id = '1'",
    ] {
        for by in [&[][..], &["n"], &["x", "y"], &["z"]] {
            let numbers = filled.counted(by, condition);
            assert_eq!(numbers, Ok(filled.asked(by, condition)), "{condition}, {by:?}");
        }
    }
    assert!(filled.counted(&["r"], "n = 1").unwrap_err().contains("floats that look equal"));
    assert!(filled.counted(&[], "z = n").is_err(), "one is declared as numbers");
}
