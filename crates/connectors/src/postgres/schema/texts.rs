//! PURE: how the server compares what is text to us, and how it is asked for our order of it.
//!
//! The function that writes a type's values tells the types apart: a domain has that of its base.

use super::described::Order;
use super::facts::ColumnFacts;
use crate::postgres::types::Form;
use model::{Collation, Compares};

/// How a column's values compare, where it is not as their kind says.
pub(in crate::postgres) fn compares(column: &ColumnFacts, form: &Form) -> Compares {
    if *form != Form::Text {
        return Compares::default();
    }
    let collation = match (&*column.output, &column.collation) {
        (TEXT | VARCHAR | NAME, Some(it)) if it.is_by_bytes => None,
        (TEXT | VARCHAR | NAME, Some(it)) => Some((&*it.name, it.is_deterministic)),
        // In the order in which they were listed, but equal if they are the same.
        (ENUM, _) => Some(("an enumeration", true)),
        // Blanks at the end, zeros of a number or the case of letters make no difference there.
        _ => Some((&*column.declared, false)),
    };
    let collation =
        collation.map(|(name, equal_by_bytes)| Collation { name: name.into(), equal_by_bytes });
    Compares { collation, affinity: None }
}

/// How the server is asked for our order of a column's values.
pub(in crate::postgres) fn order(column: &ColumnFacts, form: &Form, encoding: &str) -> Order {
    match form {
        // NaN is above all numbers, and either zero is one, there as here.
        Form::Bool
        | Form::Int
        | Form::Float4
        | Form::Float8
        | Form::Decimal
        | Form::Bytes
        | Form::Date
        | Form::Time
        | Form::Timestamp
        | Form::TimestampTz
        | Form::Uuid => Order::Own,
        Form::Text => of_text(column, encoding),
        Form::TimeTz => Order::Unlike("times with an offset are sorted by the instant"),
        Form::Interval => Order::Unlike("spans of time can be written in many ways"),
        Form::Json => Order::Unlike("JSON can be written in many ways"),
        Form::Array(..) => Order::Unlike("arrays have no order of ours"),
    }
}

fn of_text(column: &ColumnFacts, encoding: &str) -> Order {
    // The bytes of others are in another order than those that are sent.
    if !["UTF8", "SQL_ASCII", "LATIN1"].contains(&encoding) {
        return Order::Unlike("the database keeps texts neither as UTF8 nor as LATIN1");
    }
    match (&*column.output, &column.collation) {
        (TEXT | VARCHAR | NAME, Some(it)) if it.is_by_bytes => Order::Own,
        (TEXT | VARCHAR, Some(_)) => Order::Bytes,
        (ENUM | COMPOSITE, _) => Order::WrittenOnly,
        (output, _) if output.contains('.') => Order::WrittenOnly,
        (output, _) if NAMES.contains(&output) => {
            Order::Unlike("names of things of the database change with them")
        }
        _ => Order::Written,
    }
}

const TEXT: &str = "textout";
const VARCHAR: &str = "varcharout";
const NAME: &str = "nameout";
const ENUM: &str = "enum_out";
const COMPOSITE: &str = "record_out";
const NAMES: [&str; 11] = [
    "regclassout",
    "regcollationout",
    "regconfigout",
    "regdictionaryout",
    "regnamespaceout",
    "regoperout",
    "regoperatorout",
    "regprocout",
    "regprocedureout",
    "regroleout",
    "regtypeout",
];
