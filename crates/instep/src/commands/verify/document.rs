//! PURE: what came of a comparison, as programs read it.

use super::whole::{Compared, Side, Sums, Whole};
use compare::{Agreed, Difference, Unread};
use serde_json::{Map, Value as Json, json};

/// The data of the document.
pub(super) fn data(whole: &Whole, shows_values: bool) -> Json {
    let Sums { compared, missing, extra, different, orphans, unsettled, more } = whole.sums();
    let Compared { sides: [source, copy], verdict, .. } = whole.first();
    let parts = || whole.parts.iter();
    let differences = parts().flat_map(|part| {
        part.verdict.differences.iter().map(|it| difference(it, part, shows_values))
    });
    let unread = parts().flat_map(|part| part.verdict.unread.iter().map(|it| left(it, part)));
    let alone = verdict.alone.iter().map(|(name, side)| json!({ "column": **name, "side": side }));
    let mut data = json!({
        "compared": compared,
        "missing": missing,
        "extra": extra,
        "different": different,
        "unsettled": unsettled,
        "position": whole.position(),
        "differences": differences.collect::<Vec<_>>(),
        "more": more,
        "orphans": orphans,
        "unread": unread.collect::<Vec<_>>(),
        "source": side(source),
        "copy": side(copy),
        "method": verdict.method.word(),
        "settle_seconds": verdict.settle.as_secs_f64(),
        "rules": verdict.agreed.iter().map(rule).collect::<Vec<_>>(),
        "alone": alone.collect::<Vec<_>>(),
        "partial": whole.is_partial(),
        "sampled": verdict.sampled,
        "seconds": whole.took().as_secs_f64(),
    });
    if parts().any(|part| part.shard.is_some()) {
        data["services"] = parts().map(shard).collect();
    }
    data
}

fn side(side: &Side) -> Json {
    json!({ "store": side.store, "table": side.table, "at": side.at })
}

fn rule(column: &Agreed) -> Json {
    let [copy, source] = &column.declared;
    json!({ "column": *column.copy, "source_column": *column.source, "type": **copy, "source_type": **source,
        "key": column.is_key, "rule": column.rule.to_string(), "asked": column.is_declared,
        "note": column.note })
}

/// The numbers of one service.
fn shard(part: &Compared) -> Json {
    let verdict = &part.verdict;
    json!({ "service": part.shard, "compared": verdict.compared, "missing": verdict.missing,
        "extra": verdict.extra, "different": verdict.different, "orphans": verdict.orphans,
        "unsettled": verdict.unsettled, "position": verdict.position, "partial": verdict.is_partial,
        "seconds": verdict.took.as_secs_f64() })
}

fn difference(it: &Difference, part: &Compared, shows_values: bool) -> Json {
    let names: Vec<_> = it.columns.iter().map(|column| &*column.name).collect();
    let mut json = json!({ "table": part.sides[1].table, "key": key(it), "kind": it.kind.word(),
        "cause": it.cause.word(), "columns": names });
    if shows_values {
        let values = it.columns.iter().map(|column| {
            let [source, copy] =
                [&column.source, &column.copy].map(|it| it.as_ref().map(server::json));
            (column.name.to_string(), json!({ "source": source, "copy": copy }))
        });
        json["values"] = Json::Object(values.collect());
    }
    if let Some(shard) = &part.shard {
        json["service"] = shard.as_str().into();
    }
    json
}

/// A key by the names of its columns.
pub(super) fn key(difference: &Difference) -> Json {
    let values = difference.key.iter().map(|(name, value)| (name.to_string(), server::json(value)));
    Json::Object(values.collect::<Map<_, _>>())
}

fn left(unread: &Unread, part: &Compared) -> Json {
    let mut json =
        json!({ "what": unread.what, "code": unread.why.code.name(), "why": unread.why.what });
    if let Some(shard) = &part.shard {
        json["service"] = shard.as_str().into();
    }
    json
}
