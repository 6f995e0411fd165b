//! Makes way for a row: finds the one that has its unique value, and gives that another for a while.

use super::cells::{key_texts, put_cell, value};
use super::layout::{Held, Layout};
use super::shape::UniqueIndex;
use super::statements::found_by_parameters;
use super::trouble::{Failure, of_rows, of_server};
use super::write::Writing;
use crate::parked::{Parked, ParkedRow};
use crate::pieces::{joined, list};
use crate::postgres::quote;
use crate::postgres::types::Form;
use model::{Cell, CopyName, Effect, Fault, Key, Row, Value, Write};

/// A row that is to be written, and the index that says no.
pub(super) struct InTheWay<'a> {
    pub(super) layout: &'a Layout,
    pub(super) write: &'a Write,
    pub(super) index: &'a UniqueIndex,
}

/// The row in the way.
pub(super) struct Found {
    pub(super) key: Key,
    /// What it has in the columns that could have another value for a while.
    has: Vec<(usize, Value)>,
}

/// Finds the row in the way; none if there is none by now, or it can not be told.
pub(super) async fn find(
    writing: &Writing<'_>,
    asked: &InTheWay<'_>,
) -> Result<Option<Found>, Fault> {
    let InTheWay { layout, write, index } = asked;
    let (Effect::Put { key, row, .. }
    | Effect::Patch(key, row)
    | Effect::Move { before: key, row, .. }) = &write.effect
    else {
        return Ok(None);
    };
    let (Ok(mut texts), Some(wanted)) = (key_texts(layout, key), wanted(layout, row)) else {
        return Ok(None);
    };
    let movable: Vec<usize> = movable(layout, index).collect();
    let sql = query(asked, &key_nulls(key), &wanted, &movable);
    texts.extend(wanted.into_iter().flatten());
    let parameters: Vec<_> = texts.iter().map(Option::as_deref).collect();
    let rows = writing.session.ask(&sql, &parameters).await;
    let rows = rows.map_err(|trouble| of_server(writing.access, trouble))?;
    let read = |(held, cell): (&Held, &Option<String>)| value(held, cell.as_deref()).ok();
    for cells in rows {
        let (of_key, rest) = cells.split_at(layout.key.len().min(cells.len()));
        let of_key = layout.key_columns().zip(of_key).map(read).collect::<Option<Vec<_>>>();
        let Some(found) = of_key.map(Key::new).filter(|found| found != key) else { continue };
        let has = movable
            .iter()
            .zip(rest)
            .map(|(&at, cell)| Some((at, read((&layout.columns[at], cell))?)));
        return Ok(has.collect::<Option<_>>().map(|has| Found { key: found, has }));
    }
    Ok(None)
}

/// Gives the row in the way another value, until its turn comes; whether it has one now.
pub(super) async fn park(
    writing: &Writing<'_>,
    layout: &Layout,
    found: Found,
    (by, reason, copy): (usize, &str, &CopyName),
    parked: &mut Parked,
) -> Result<bool, Fault> {
    for (at, had) in found.has {
        let held = &layout.columns[at];
        for aside in aside(layout, held, &had, parked.ever) {
            let to = format!("update {} as t set {} = {aside}", layout.only, held.name);
            if change(writing, layout, &to, &found.key).await? {
                let row = ParkedRow { had: vec![(at, had)], by, reason: reason.to_owned() };
                parked.add(copy, found.key, row);
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Deletes the row that has the key to which another moves; whether there was one of the lane.
pub(super) async fn clear(
    writing: &Writing<'_>,
    layout: &Layout,
    key: &Key,
) -> Result<bool, Fault> {
    change(writing, layout, &format!("delete from {} as t", layout.only), key).await
}

/// Changes the row with a key, if it is the lane's; what the table does not take is left as it is.
async fn change(
    writing: &Writing<'_>,
    layout: &Layout,
    what: &str,
    key: &Key,
) -> Result<bool, Fault> {
    let Ok(texts) = key_texts(layout, key) else { return Ok(false) };
    let ours = layout.shard.as_ref().map_or(String::new(), |shard| {
        format!(" and t.{shard} is not distinct from {}", quote::text(writing.lane.as_str()))
    });
    let found = found_by_parameters(layout, &key_nulls(key));
    let sql = format!("{what} where {found}{ours} returning 'one'");
    let parameters: Vec<_> = texts.iter().map(Option::as_deref).collect();
    writing.note("savepoint instep_way").await?;
    match writing.session.ask(&sql, &parameters).await {
        Ok(rows) => {
            writing.note("release instep_way").await?;
            Ok(!rows.is_empty())
        }
        Err(trouble) => match of_rows(writing.access, trouble) {
            Failure::Refused(_) => {
                writing.note("rollback to instep_way; release instep_way").await?;
                Ok(false)
            }
            Failure::Fault(fault) => Err(fault),
        },
    }
}

/// The rows that have what the index compares as the row would have it: its columns from the
/// parameters behind those of the key, or as they are where it keeps them.
fn query(
    asked: &InTheWay<'_>,
    nulls: &[bool],
    wanted: &[Option<Option<String>>],
    movable: &[usize],
) -> String {
    let InTheWay { layout, index, .. } = asked;
    let mut next = layout.key.len();
    let mut given = Vec::new();
    for ((_, held), wanted) in layout.written().zip(wanted) {
        if wanted.is_some() {
            next += 1;
            given.push((held.name.as_str(), format!("${next}::{}", held.cast)));
        }
    }
    let as_wanted = layout.all.iter().map(|name| {
        let given = given.iter().find(|(of, _)| of == name);
        given.map_or_else(|| format!("t.{name}"), |(_, value)| format!("{value} as {name}"))
    });
    let compared = index.compared.iter().enumerate();
    let compared = list(compared.map(|(at, sql)| format!("({sql}) as instep_{at}")));
    let equal = if index.nulls_are_equal { "is not distinct from" } else { "=" };
    let equal = (0..index.compared.len()).map(|at| format!("a.instep_{at} {equal} b.instep_{at}"));
    let shown = layout.key_columns().chain(movable.iter().map(|&at| &layout.columns[at]));
    let shown = list(
        shown.map(|held| format!("case when a.{0} is not null then concat(a.{0}) end", held.name)),
    );
    let condition = index.condition.as_ref();
    let condition = condition.map_or(String::new(), |condition| format!(" where {condition}"));
    let only = &layout.only;
    format!(
        "select {shown} from (select *, {compared} from {only}{condition}) as a
         join (select {compared} from (select {} from (select 1) as one
             left join {only} as t on {}) as b) as b on {}",
        list(as_wanted),
        found_by_parameters(layout, nulls),
        joined(equal, " and ")
    )
}

/// The text of each written column that the row says something about.
fn wanted(layout: &Layout, row: &Row) -> Option<Vec<Option<Option<String>>>> {
    let text = |(_, held): (usize, &Held)| {
        let cell = row.0.get(held.place).unwrap_or(&Cell::Missing);
        if *cell == Cell::Unchanged {
            return Some(None);
        }
        let mut text = String::new();
        Some(Some(put_cell(held, cell, &mut text).ok()?.then_some(text)))
    };
    layout.written().map(text).collect()
}

/// The columns of an index that could have another value for a while.
fn movable<'a>(layout: &'a Layout, index: &'a UniqueIndex) -> impl Iterator<Item = usize> {
    index.columns.iter().filter_map(|name| {
        let mut written = layout.written();
        written.find(|(_, held)| held.bare == *name && !held.is_key).map(|(at, _)| at)
    })
}

/// Values that no row has in this column, as SQL: the first that the column takes will do. None for
/// types in which there may be no such value, as where two points in space are swapped.
fn aside(layout: &Layout, held: &Held, had: &Value, ever: u64) -> Vec<String> {
    if !held.not_null {
        return vec!["null".to_owned()];
    }
    let (name, only) = (&held.name, &layout.only);
    let beyond = |step: &str| {
        vec![
            format!("(select max({name}) + {step} from {only})"),
            format!("(select min({name}) - {step} from {only})"),
        ]
    };
    match (&held.form, &*held.output) {
        _ if *had == Value::Null => Vec::new(),
        (Form::Int | Form::Decimal | Form::Float8 | Form::Float4 | Form::Date, _) => beyond("1"),
        (Form::Timestamp | Form::TimestampTz, _) => beyond("interval '1 second'"),
        (Form::Uuid, _) => vec!["gen_random_uuid()".to_owned()],
        (Form::Bytes, _) => vec![format!("t.{name} || ' aside {ever}'::bytea")],
        (Form::Text, "textout" | "varcharout" | "bpcharout") => {
            // Where there is no room for more: letters that belong to no script.
            let letter = |number: u64| format!("chr({})", PRIVATE_USE + number % PRIVATE_USE_COUNT);
            let (first, second) = (letter(ever), letter(ever / PRIVATE_USE_COUNT));
            let longer = format!("concat(t.{name}, ' aside {ever}')");
            vec![longer, format!("concat({first}, {second})"), first]
        }
        (Form::Text, "enum_out") => vec![format!(
            "(select l from unnest(enum_range(null::{})) as l
                where not exists (select from {only} as o where o.{name} = l) limit 1)",
            held.cast
        )],
        _ => Vec::new(),
    }
}

/// Where Unicode has letters that nobody gives a meaning to, and how many.
const PRIVATE_USE: u64 = 0xe000;
const PRIVATE_USE_COUNT: u64 = 6_400;

fn key_nulls(key: &Key) -> Vec<bool> {
    key.values().iter().map(|value| *value == Value::Null).collect()
}
