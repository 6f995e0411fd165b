//! PURE: the types, and what they write.

use super::stores::Table;
use std::sync::Arc;

/// A type of a column.
#[derive(Debug)]
pub(super) struct Type {
    /// What it is called here.
    pub(super) id: &'static str,
    /// What it is called on the page, and declared as.
    pub(super) shown: &'static str,
    /// Which table has it.
    pub(super) table: Table,
}

const fn postgres(id: &'static str, shown: &'static str) -> Type {
    Type { id, shown, table: Table::Postgres }
}

const fn plain(id: &'static str, shown: &'static str) -> Type {
    Type { id, shown, table: Table::Plain }
}

const fn strict(id: &'static str, shown: &'static str) -> Type {
    Type { id, shown, table: Table::Strict }
}

pub(super) const TYPES: [Type; 36] = [
    postgres("bool", "boolean"),
    postgres("int2", "smallint"),
    postgres("int4", "integer"),
    postgres("int8", "bigint"),
    postgres("numeric", "numeric"),
    postgres("price", "numeric(10,2)"),
    postgres("real", "real"),
    postgres("double", "double precision"),
    postgres("text", "text"),
    postgres("varchar", "varchar(60)"),
    postgres("char", "char(60)"),
    postgres("bytea", "bytea"),
    postgres("date", "date"),
    postgres("time", "time"),
    postgres("timetz", "timetz"),
    postgres("timestamp", "timestamp"),
    postgres("at", "timestamptz"),
    postgres("at3", "timestamptz(3)"),
    postgres("interval", "interval"),
    postgres("uuid", "uuid"),
    postgres("json", "json"),
    postgres("jsonb", "jsonb"),
    postgres("array", "integer[]"),
    postgres("enum", "an enumeration"),
    postgres("inet", "inet"),
    plain("s_int", "integer"),
    plain("s_real", "real"),
    plain("s_text", "text"),
    plain("s_blob", "blob"),
    plain("s_num", "numeric"),
    plain("s_none", ""),
    strict("x_int", "integer"),
    strict("x_real", "real"),
    strict("x_text", "text"),
    strict("x_blob", "blob"),
    strict("x_any", "any"),
];

/// The name of the column of a type, by its place.
pub(super) fn column(place: usize) -> Arc<str> {
    format!("c{place}").into()
}

/// The place of a type.
pub(super) fn place(id: &str) -> usize {
    TYPES.iter().position(|it| it.id == id).expect("there is one")
}

/// The row of a meaning: the one in which the copy has the same, or the one in which it has not.
pub(super) fn row(meaning: i64, is_other: bool) -> i64 {
    2 * meaning + i64::from(is_other)
}

/// Something that several types can write, and beside it what is easily taken for it.
pub(super) struct Meaning {
    pub(super) what: &'static str,
    /// Types, and both as these write them in SQL.
    writes: &'static [(&'static str, &'static str, &'static str)],
}

/// Several types in a word.
const FAMILIES: [(&str, &str); 3] = [
    ("texts", "text varchar char enum"),
    ("plain", "s_int s_real s_text s_blob s_num s_none"),
    ("written", "text varchar char enum s_int s_real s_text s_blob s_num s_none x_text x_any"),
];

impl Meaning {
    /// How a type writes it, and how the other.
    pub(super) fn written(&self, id: &str) -> Option<[&'static str; 2]> {
        let is_of =
            |words: &str| words.split(' ').any(|word| family(word).split(' ').any(|it| it == id));
        let found = self.writes.iter().find(|(words, ..)| is_of(words))?;
        Some([found.1, found.2])
    }
}

fn family(word: &str) -> &str {
    FAMILIES.iter().find(|it| it.0 == word).map_or(word, |it| it.1)
}

/// The labels of the enumeration, which can be any text.
pub(super) fn labels() -> String {
    let labels = MEANINGS.iter().filter_map(|meaning| meaning.written("enum")).flatten();
    let labels: std::collections::BTreeSet<_> = labels.collect();
    labels.into_iter().collect::<Vec<_>>().join(", ")
}

pub(super) const MEANINGS: [Meaning; 17] = [
    Meaning {
        what: "a number",
        writes: &[
            ("int2 int4 int8 s_int s_num s_none s_blob x_int x_any", "1", "2"),
            ("numeric price", "1.00", "1.01"),
            ("real", "1", "1.0000001"),
            ("double s_real x_real", "1.0", "1.0000000000000002"),
        ],
    },
    Meaning {
        what: "a number as a text",
        writes: &[
            ("int2 int4 int8 x_int", "1", "2"),
            ("numeric price", "1.00", "1.01"),
            ("real", "1", "1.0000001"),
            ("double x_real", "1.0", "1.0000000000000002"),
            ("texts s_text s_none s_blob x_text x_any", "'1'", "'2'"),
        ],
    },
    Meaning {
        what: "a truth",
        writes: &[
            ("bool", "true", "false"),
            ("int2 int4 int8 s_int s_num s_none s_blob x_int x_any", "1", "0"),
            ("s_real", "1.0", "0.0"),
        ],
    },
    Meaning { what: "a truth as a text", writes: &[("bool written", "'true'", "'false'")] },
    Meaning { what: "a word", writes: &[("written", "'a'", "'A'")] },
    Meaning {
        what: "bytes",
        writes: &[
            ("bytea", "'\\x00ff'", "'\\x00ff00'"),
            ("plain x_blob x_any", "x'00ff'", "x'00ff00'"),
        ],
    },
    Meaning { what: "a day", writes: &[("date written", "'2026-11-21'", "'2026-11-22'")] },
    Meaning {
        what: "a time of day",
        writes: &[("time written", "'12:34:56.789'", "'12:34:56.788999'")],
    },
    Meaning {
        what: "a time of day with an offset",
        writes: &[("timetz written", "'12:34:56+02'", "'12:34:56+01'")],
    },
    Meaning {
        what: "a time without a zone",
        writes: &[("timestamp written", "'2026-11-21 12:00:00'", "'2026-11-21 12:00:00.000001'")],
    },
    Meaning {
        what: "an instant",
        writes: &[("at written", "'2026-11-21 12:00:00.5+00'", "'2026-11-21 12:00:00.500001+00'")],
    },
    Meaning {
        what: "an instant of milliseconds",
        writes: &[(
            "at at3 written",
            "'2026-11-21 12:00:00.123+00'",
            "'2026-11-21 12:00:00.124+00'",
        )],
    },
    Meaning { what: "a span", writes: &[("interval written", "'P1DT2H'", "'P1DT2H0.000001S'")] },
    Meaning {
        what: "a uuid",
        writes: &[(
            "uuid written",
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'",
        )],
    },
    Meaning {
        what: "a document",
        writes: &[("json jsonb written", "'{\"a\": 1}'", "'{\"a\": \"1\"}'")],
    },
    Meaning {
        what: "a list",
        writes: &[("array", "'{1,null}'", "'{1,2}'"), ("plain x_any", "'[1,null]'", "'[1,2]'")],
    },
    Meaning { what: "an address", writes: &[("inet written", "'10.0.0.1'", "'10.0.0.2'")] },
];
