//! A value, as either store writes it.

use super::store::Kind;
use crate::rig::Chance;

/// What kind of values a column has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Int,
    Number,
    Text,
    Short,
    Bool,
    Float,
    Time,
    Date,
    Bytes,
    Uuid,
    Json,
}

pub(super) const TYPES: [Type; 11] = [
    Type::Int,
    Type::Number,
    Type::Text,
    Type::Short,
    Type::Bool,
    Type::Float,
    Type::Time,
    Type::Date,
    Type::Bytes,
    Type::Uuid,
    Type::Json,
];

/// A value: none is NULL. Its text is that of either store but for what [`literal`] says.
pub(super) type Cell = Option<String>;

const TEXTS: [&str; 14] =
    ["", " ", "a", "A", "ä", "Ä", "a b", "a-b", "ab", "it's", "\\x", "NULL", "1.0", "日本"];

impl Type {
    /// As it is declared. What SQLite lacks has no declared type there, and is kept as text.
    pub(super) fn declared(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Type::Int, Kind::Postgres) => "bigint",
            (Type::Int, Kind::Sqlite) => "integer",
            (Type::Number, Kind::Postgres) => "numeric",
            (Type::Text, _) => "text",
            (Type::Short, Kind::Postgres) => "varchar(40)",
            (Type::Short, Kind::Sqlite) => "text",
            (Type::Bool, Kind::Postgres) => "boolean",
            (Type::Bool, Kind::Sqlite) => "integer",
            (Type::Float, Kind::Postgres) => "double precision",
            (Type::Float, Kind::Sqlite) => "real",
            (Type::Time, Kind::Postgres) => "timestamptz",
            (Type::Date, Kind::Postgres) => "date",
            (Type::Bytes, Kind::Postgres) => "bytea",
            (Type::Bytes, Kind::Sqlite) => "blob",
            (Type::Uuid, Kind::Postgres) => "uuid",
            (Type::Json, Kind::Postgres) => "jsonb",
            (Type::Number | Type::Time | Type::Date | Type::Uuid | Type::Json, Kind::Sqlite) => "",
        }
    }

    /// Some value.
    pub(super) fn value(self, chance: &mut Chance) -> Cell {
        let digits = |chance: &mut Chance, end: u64| chance.below(end);
        Some(match self {
            Type::Int => {
                let edge = ["0", "-1", "9223372036854775807", "-9223372036854775808"];
                match chance.below(10) {
                    0 => (*chance.one(&edge)).to_owned(),
                    _ => format!("{}", chance.below(1_000)),
                }
            }
            Type::Number => format!("{}.{:02}", digits(chance, 10_000), digits(chance, 100)),
            Type::Text | Type::Short => {
                format!("{}{}", chance.one(&TEXTS), chance.one(&TEXTS))
            }
            Type::Bool => format!("{}", chance.below(2)),
            Type::Float => {
                format!("{}.{}", digits(chance, 100), [0, 25, 5, 75][usize_of(chance, 4)])
            }
            Type::Time => format!(
                "20{:02}-{:02}-{:02} {:02}:{:02}:{:02}.{:06}+00:00",
                10 + digits(chance, 20),
                1 + digits(chance, 12),
                1 + digits(chance, 28),
                digits(chance, 24),
                digits(chance, 60),
                digits(chance, 60),
                1 + digits(chance, 999_999),
            ),
            Type::Date => {
                format!("19{:02}-{:02}-{:02}", digits(chance, 100), 1 + digits(chance, 12), {
                    1 + digits(chance, 28)
                })
            }
            Type::Bytes => format!("{:02x}00ff{:02x}", digits(chance, 256), digits(chance, 256)),
            Type::Uuid => uuid(chance.below(u64::MAX)),
            Type::Json => {
                format!("{{\"a\": {}, \"b\": [null, \"ä\"]}}", digits(chance, 100))
            }
        })
    }
}

fn usize_of(chance: &mut Chance, end: u64) -> usize {
    usize::try_from(chance.below(end)).expect("it is small")
}

/// A uuid of this number.
pub(super) fn uuid(number: u64) -> String {
    let low = number.rotate_left(23) & 0xffff_ffff_ffff;
    format!("{:08x}-{:04x}-4000-8000-{low:012x}", number >> 32, (number >> 16) & 0xffff)
}

/// A value as SQL.
pub(super) fn literal(of: Type, cell: &Cell, kind: Kind) -> String {
    let Some(text) = cell else { return "null".to_owned() };
    match (of, kind) {
        (Type::Int | Type::Float, _) | (Type::Bool, Kind::Sqlite) => text.clone(),
        (Type::Bool, Kind::Postgres) => if text == "1" { "true" } else { "false" }.to_owned(),
        (Type::Bytes, Kind::Sqlite) => format!("x'{text}'"),
        (Type::Bytes, Kind::Postgres) => format!("'\\x{text}'"),
        _ => format!("'{}'", text.replace('\'', "''")),
    }
}
