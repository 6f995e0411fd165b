//! PURE: the outbox of a source, and who may name its kinds.

use super::refer::Names;
use crate::config::setting::Setting;
use crate::config::span::Span;
use crate::config::trouble::Trouble;
use crate::config::types::ServiceKind;
use crate::quote::quoted;
use connectors::postgres::Outbox;
use model::{Code, TableName};

/// The outbox that a setting describes, of a source of this kind.
pub(super) fn read(
    setting: &Setting,
    kind: Option<ServiceKind>,
    source: &Setting,
    troubles: &mut Vec<Trouble>,
) -> Option<Outbox> {
    let (table, kinds) = (setting.get("table")?, setting.get("kinds")?);
    let tables = source.get("tables")?;
    let before = troubles.len();
    let mut refuse = |code, span: Span, what: String, why: &str, fix: &str| {
        troubles.push(Trouble::new(code, span, what, why, fix));
    };
    if kind == Some(ServiceKind::Sqlite) {
        let what = "a SQLite file has no outbox".to_owned();
        let why = "an outbox is trimmed by transactions of PostgreSQL";
        refuse(
            Code::ConfigType,
            setting.span,
            what,
            why,
            "follow the table itself, under `tables`",
        );
    }
    let by_triggers = source.get("capture").filter(|it| it.text() == Some("triggers"));
    if let Some(capture) = by_triggers.filter(|_| kind == Some(ServiceKind::Postgres)) {
        let what = "an outbox is not followed by triggers".to_owned();
        let why = "only the write-ahead log tells what was inserted, in the order of the commits";
        refuse(Code::ConfigType, capture.span, what, why, "remove `capture`, or follow the table");
    }
    if let Some(same) = tables.items().iter().find(|it| it.text() == table.text()) {
        let what = "the outbox is among `tables` as well".to_owned();
        let why = "its rows are changes of their kinds, and go once they are durable";
        refuse(Code::ConfigDuplicate, same.span, what, why, "name it under `outbox` alone");
    }
    for item in kinds.items() {
        if let Some(name) = item.text().filter(|name| name.contains('.')) {
            let what = format!("{} is no name of a kind", quoted(name));
            let why = "a dot tells tables with their schema from kinds";
            refuse(
                Code::ConfigName,
                item.span,
                what,
                why,
                "write it without a dot, as `answer_given`",
            );
        }
    }
    let kinds = kinds.items().iter().map(|it| it.text().map(TableName::from));
    let outbox = Outbox { table: table.text()?.into(), kinds: kinds.collect::<Option<_>>()? };
    (troubles.len() == before).then_some(outbox)
}

/// Refuses a count over a kind; whether it was one.
pub(super) fn refuse_count(
    names: Names<'_>,
    (source, table): (&str, &TableName),
    count: &Setting,
    path: &str,
    troubles: &mut Vec<Trouble>,
) -> bool {
    let is_kind = names.kinds(source).any(|kind| kind == table.as_str());
    if let Some(of) = count.get("of").filter(|_| is_kind) {
        let what = format!("`{path}` would count a kind of the outbox of `{source}`");
        let why = "its rows are taken out of the source, which so can not say how many there were";
        let fix = "keep a copy of the kind, and count there; or count a table";
        troubles.push(Trouble::new(Code::ConfigType, of.span, what, why, fix));
    }
    is_kind
}
