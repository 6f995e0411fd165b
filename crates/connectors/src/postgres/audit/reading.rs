//! Rows and marks, read as they come until there are enough of them.
//!
//! An answer is bounded by its bytes as well. Where rows are so large that they come to that first,
//! fewer are asked for from then on, since the connection cannot be used again before all came.

use super::mark;
use super::open::Open;
use super::question::{Question, held, odd};
use super::relation::Relation;
use super::select::{self, KEYS_MAX};
use crate::postgres::rows::Failure;
use crate::postgres::session::Cells;
use crate::postgres::trouble::Trouble;
use model::{Ask, Found, Key, Listed, Mark, Reference, Row, Selection};
use std::collections::{BTreeMap, BTreeSet};

/// What one answer may hold; the row that is the first beyond it is its last.
const BYTES_MAX: usize = 4 << 20;

/// No answer has more rows, whatever is asked for; the server would not understand much larger numbers.
pub(super) const ROWS_MAX: usize = 1 << 24;

/// The selected rows.
pub(super) async fn rows(
    open: &mut Open,
    ask: &Ask,
    of: &Selection,
    rows_max: usize,
) -> Result<Listed<Row>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let cells = select::cells(question.key.iter().chain(&question.columns));
    let order = select::order(&question);
    let only = &relation.only;
    let query = |within: &str, bound: &str| {
        format!("select {cells} from {only}{within}{order} limit {bound}")
    };
    let each = |cells: &Cells| {
        let key = question.key_of(cells)?;
        let row = question.row_of(&cells[question.key.len()..])?;
        let bytes = key.bytes() + row.bytes();
        Ok((key, row, bytes))
    };
    let before = open.fitting;
    let listed = listed(open, &question, of, rows_max.min(before), (&query, &each)).await?;
    if listed.more {
        let bytes = listed.found.iter().map(|(key, row)| key.bytes() + row.bytes()).sum();
        open.fitting = fitting(before, listed.found.len(), bytes);
    }
    Ok(listed)
}

/// The marks of the selected rows.
pub(super) async fn marks(
    open: &mut Open,
    ask: &Ask,
    of: &Selection,
    rows_max: usize,
) -> Result<Listed<Mark>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let keys = question.key.iter().enumerate();
    let (named, names): (Vec<_>, Vec<_>) =
        keys.map(|(at, asked)| (format!("{} as k{at}", asked.held.sql), format!("k{at}"))).unzip();
    let (named, names) = (select::list(named), select::list(names));
    let [one, other] = mark::halves(&question, "x");
    let (text, order) = (mark::text(&question), select::order(&question));
    let only = &relation.only;
    let query = |within: &str, bound: &str| {
        format!(
            "select {names}, {one}, {other} from (select {named}, {text} as x
                from {only}{within}{order} limit {bound} offset 0) as s"
        )
    };
    let each = |cells: &Cells| {
        let key = question.key_of(cells)?;
        let half = |at: usize| cells.get(question.key.len() + at)?.as_ref()?.parse().ok();
        let mark = Mark([half(0).ok_or_else(odd)?, half(1).ok_or_else(odd)?]);
        let bytes = key.bytes() + size_of::<Mark>();
        Ok((key, mark, bytes))
    };
    listed(open, &question, of, rows_max, (&query, &each)).await
}

/// The selected rows that refer to one which is not there.
pub(super) async fn orphans(
    open: &mut Open,
    ask: &Ask,
    refers: &Reference,
    of: &Selection,
    rows_max: usize,
) -> Result<Listed<()>, Failure> {
    let relation = open.asked(ask).await?;
    let referred = open.relation(&refers.table).await?;
    let question = Question::new(&relation, ask)?;
    let none = referring(&relation, &referred, refers)?;
    let (cells, order) = (select::cells(&question.key), select::order(&question));
    let only = &relation.only;
    let query = |within: &str, bound: &str| {
        let joint = if within.is_empty() { "where" } else { "and" };
        format!("select {cells} from {only}{within} {joint} {none}{order} limit {bound}")
    };
    let each = |cells: &Cells| {
        let key = question.key_of(cells)?;
        let bytes = key.bytes();
        Ok((key, (), bytes))
    };
    listed(open, &question, of, rows_max, (&query, &each)).await
}

/// What holds for a row that refers to one which is not there.
fn referring(
    relation: &Relation,
    referred: &Relation,
    refers: &Reference,
) -> Result<String, Failure> {
    let (column, key) = (held(relation, &refers.column)?, held(referred, &refers.key)?);
    let column_sql = format!("{}.{}", relation.name, column.sql);
    Ok(format!(
        "{column_sql} is not null and not exists (select from {} as instep_referred
            where instep_referred.{} {} {column_sql})",
        referred.only,
        key.sql,
        key.operator("=")
    ))
}

/// The query for so many rows of what is within something; and what becomes of a row, with its bytes.
type Way<'a, T> = (
    &'a (dyn Fn(&str, &str) -> String + Sync),
    &'a (dyn Fn(&Cells) -> Result<(Key, T, usize), Trouble> + Sync),
);

async fn listed<T>(
    open: &mut Open,
    question: &Question<'_>,
    of: &Selection,
    rows_max: usize,
    (query, each): Way<'_, T>,
) -> Result<Listed<T>, Failure> {
    let rows_max = rows_max.min(ROWS_MAX);
    let (queries, wanted): (Vec<String>, Option<BTreeSet<&Key>>) = match of {
        Selection::Nothing => (Vec::new(), None),
        Selection::Range { after, upto } => {
            let range = select::range(question, after.as_ref(), upto.as_ref());
            (vec![query(&range, &(rows_max + 1).to_string())], None)
        }
        Selection::Keys(keys) => {
            let some = |some: &[Key]| Some(query(&select::keys(question, some)?, "all"));
            (keys.chunks(KEYS_MAX).filter_map(some).collect(), Some(keys.iter().collect()))
        }
    };
    let (mut found, mut bytes) = (Vec::new(), 0);
    for query in queries {
        let mut came = open.session.copy_out(&query).await?;
        while let Some(cells) = came.next().await? {
            let (key, one, size) = each(&cells)?;
            // What is equal to the server need not be one key.
            if wanted.as_ref().is_some_and(|wanted| !wanted.contains(&key)) {
                continue;
            }
            if bytes >= BYTES_MAX || found.len() == rows_max {
                open.is_spent = bytes >= BYTES_MAX || wanted.is_some();
                return Ok(Listed { found, more: true });
            }
            bytes += size;
            found.push((key, one));
        }
    }
    Ok(Listed { found, more: false })
}

/// How many rows to ask for next, going by an answer of so many that was not the last.
fn fitting(before: usize, rows: usize, bytes: usize) -> usize {
    match bytes {
        BYTES_MAX.. => (rows / 4 * 3).max(1),
        _ if bytes < BYTES_MAX / 4 => before.saturating_mul(2),
        _ => before,
    }
}

/// The rows of these keys.
pub(super) async fn find(
    open: &mut Open,
    ask: &Ask,
    keys: &[Key],
) -> Result<BTreeMap<Key, Found>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let wanted: BTreeSet<&Key> = keys.iter().collect();
    let wanted: Vec<&Key> = wanted.into_iter().collect();
    let version = if relation.has_versions { VERSION } else { "0" };
    let is_within = match select::meant(&question) {
        meant if meant.is_empty() => "true".to_owned(),
        meant => format!("coalesce({}, false)", meant.join(" and ")),
    };
    let cells = select::cells(question.key.iter().chain(&question.columns));
    let mut all = BTreeMap::new();
    for some in wanted.chunks(KEYS_MAX) {
        let Some(having) = select::having(&question.key, some) else { continue };
        let only = &relation.only;
        let query = format!("select {version}, {is_within}, {cells} from {only} where {having}");
        let mut came = open.session.copy_out(&query).await?;
        while let Some(row) = came.next().await? {
            let [Some(version), Some(is_within), cells @ ..] = &row[..] else {
                return Err(odd().into());
            };
            let key = question.key_of(cells)?;
            if wanted.binary_search(&&key).is_err() {
                continue;
            }
            let version = version.parse::<i64>().map_err(|_| odd())?.cast_unsigned();
            let row = question.row_of(&cells[question.key.len()..])?;
            all.insert(key, Found { row, version, is_within: is_within == "t" });
        }
    }
    Ok(all)
}

/// Who wrote a row last and where it lies: an update makes another row in another place.
const VERSION: &str = "hashtextextended(concat_ws(' ', tableoid, xmin, ctid) collate \"C\", 0)";
