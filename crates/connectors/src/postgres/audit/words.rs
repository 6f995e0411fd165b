//! PURE: what is said of a column, so that others know whether they mean the same by it.

use super::relation::Held;
use crate::postgres::types::Form;
use std::sync::Arc;

/// How the values of a column are written before a mark is made of them: the name of that way. Where
/// it is the same, equal texts are equal values. None for what is written as a database is set up.
pub(super) fn written(held: &Held) -> Option<Arc<str>> {
    let Held { form, base, .. } = held;
    let word = match form {
        Form::Int | Form::Decimal => "number",
        Form::Float8 => "float",
        Form::Float4 => "single",
        Form::Bool => "bool",
        Form::Bytes => "bytea",
        Form::Date => "date",
        Form::Time => "time",
        Form::TimeTz => "timetz",
        Form::Timestamp => "timestamp",
        Form::TimestampTz => "timestamptz",
        Form::Interval => "interval",
        Form::Uuid => "uuid",
        Form::Json if base.system == "jsonb" => "jsonb",
        Form::Json => "json",
        Form::Text if held.is_any_text() => "text",
        Form::Text | Form::Array(..) if base.system.trim_start_matches('_') == "money" => {
            return None;
        }
        Form::Text | Form::Array(..) => return Some(format!("type {}", base.cast).into()),
    };
    Some(word.into())
}

/// By which order the server sorts a column, where that can be said in a word. `texts` is the name of
/// its collation; none if that may be another one elsewhere.
pub(super) fn sorted(held: &Held, texts: Option<&str>) -> Option<Arc<str>> {
    let word = match &held.form {
        Form::Int | Form::Decimal if !matches!(&*held.base.system, "xid" | "cid") => "number",
        Form::Float8 | Form::Float4 => "float",
        Form::Bool => "bool",
        Form::Bytes => "bytes",
        Form::Date => "date",
        Form::Time => "time",
        Form::TimeTz => "timetz",
        Form::Timestamp => "timestamp",
        Form::TimestampTz => "timestamptz",
        Form::Interval => "interval",
        Form::Uuid => "uuid",
        Form::Text if held.base.system == "bpchar" => {
            return texts.map(|texts| format!("padded {texts}").into());
        }
        Form::Text if held.is_any_text() => return texts.map(Into::into),
        _ => return None,
    };
    Some(word.into())
}

#[cfg(test)]
mod tests {
    use super::super::relation::{Base, Held};
    use super::{sorted, written};
    use crate::postgres::types::Form;

    fn held(form: Form, system: &str) -> Held {
        let base = Base {
            system: system.into(),
            cast: format!("public.{system}"),
            is_enumeration: false,
            operators: None,
        };
        Held { name: "a".into(), sql: "\"a\"".into(), nullable: true, form, base }
    }

    #[test]
    fn numbers_are_written_alike_and_money_in_nobodys_way() {
        let word = |form, system| written(&held(form, system));
        assert_eq!(word(Form::Int, "int2"), word(Form::Decimal, "numeric"));
        assert_ne!(word(Form::Float4, "float4"), word(Form::Float8, "float8"));
        assert_eq!(word(Form::Text, "bpchar"), word(Form::Text, "varchar"));
        assert_ne!(word(Form::Json, "json"), word(Form::Json, "jsonb"));
        assert_eq!(word(Form::Text, "money"), None);
        assert_eq!(word(Form::Array(Form::Text.into(), ','), "_money"), None);
        assert_eq!(word(Form::Text, "").as_deref(), Some("type public."));
    }

    #[test]
    fn an_order_of_texts_is_that_of_their_collation() {
        let word = |system, texts| sorted(&held(Form::Text, system), texts);
        assert_eq!(word("varchar", Some("bytes")).as_deref(), Some("bytes"));
        assert_ne!(word("bpchar", Some("bytes")), word("text", Some("bytes")));
        assert_eq!(word("text", None), None);
        assert_eq!(word("inet", Some("bytes")), None);
    }
}
