//! What is told of many rows at once: how many, their sum, where they end.

use super::convert::key_value;
use super::mark;
use super::open::{Open, one};
use super::question::{Question, asked, held, key, odd, unread};
use super::reading::{self, ROWS_MAX};
use super::relation::{Asked, Held};
use super::select::{self, KEYS_MAX};
use crate::postgres::rows::Failure;
use crate::postgres::session::Cells;
use crate::postgres::trouble::Trouble;
use crate::postgres::types::Form;
use model::{Ask, Code, Decimal, Fault, Flaw, Groups, Key, Listed, Selection, Sum, Value, Wanted};
use std::collections::{BTreeMap, BTreeSet};

/// Whether the server takes the question; no row of the table is read.
pub(super) async fn admit(open: &mut Open, ask: &Ask) -> Result<(), Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let cells = select::cells(question.key.iter().chain(&question.columns));
    let within = select::range(&question, None, None);
    let order = select::order(&question);
    let query = format!("select {cells} from {}{within}{order} limit 0", relation.only);
    open.session.query(&query).await?;
    Ok(())
}

/// The key so many rows above this one.
pub(super) async fn cut(
    open: &mut Open,
    ask: &Ask,
    after: Option<&Key>,
    rows: u64,
) -> Result<Option<Key>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let query = format!(
        "select {} from {}{}{} offset {} limit 1",
        select::cells(&question.key),
        relation.only,
        select::range(&question, after, None),
        select::order(&question),
        rows.saturating_sub(1)
    );
    let found = open.session.query(&query).await?;
    Ok(found.first().map(|cells| question.key_of(cells)).transpose()?)
}

/// The sum of the marks of the selected rows.
pub(super) async fn sum(open: &mut Open, ask: &Ask, of: &Selection) -> Result<Sum, Failure> {
    let (after, upto) = match of {
        Selection::Nothing => return Ok(Sum::default()),
        Selection::Keys(keys) => return sum_of_keys(open, ask, keys).await,
        Selection::Range { after, upto } => (after, upto),
    };
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let [one_half, other] =
        mark::halves(&question, "x").map(|it| format!("coalesce(sum({it}), 0)"));
    let query = format!(
        "select count(*), {one_half}, {other} from (select {} as x from {}{} offset 0) as s",
        mark::text(&question),
        relation.only,
        select::range(&question, after.as_ref(), upto.as_ref())
    );
    let [rows, marks @ ..] = one::<3>(open.session.query(&query).await?)?;
    let [Ok(one_half), Ok(other)] = marks.map(|it| it.parse()) else { return Err(odd().into()) };
    Ok(Sum { rows: rows.parse().map_err(|_| odd())?, marks: [one_half, other] })
}

/// What is equal to the server need not be one key, so only their marks tell these rows apart.
async fn sum_of_keys(open: &mut Open, ask: &Ask, keys: &[Key]) -> Result<Sum, Failure> {
    let mut sum = Sum::default();
    for some in keys.chunks(KEYS_MAX) {
        let some = Selection::Keys(some.to_vec());
        let listed = reading::marks(open, ask, &some, ROWS_MAX).await?;
        if listed.more {
            let what = "the marks of a few keys are larger than an answer";
            return Err(Fault::stop(Code::Broken, what).into());
        }
        listed.found.into_iter().for_each(|(_, mark)| sum.add(mark));
    }
    Ok(sum)
}

/// What makes the keys of the selected rows useless; where nothing is selected, whether rows have NULL
/// there. Where the server calls keys equal, no row lies between them at which a stretch could end.
pub(super) async fn flaw(
    open: &mut Open,
    ask: &Ask,
    of: &Selection,
) -> Result<Option<Flaw>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let only = &relation.only;
    let nullable = question.key.iter().filter(|it| it.held.nullable);
    let nulls: Vec<_> = nullable.map(|it| format!("{} is null", it.held.sql)).collect();
    let within = match of {
        Selection::Nothing if nulls.is_empty() => return Ok(None),
        Selection::Nothing => {
            let nulls = format!("({})", nulls.join(" or "));
            let nulls = select::filtered(select::meant(&question).into_iter().chain([nulls]));
            let query = format!("select count(*) from {only}{nulls}");
            let [nulls] = one(open.session.query(&query).await?)?;
            let nulls = nulls.parse().map_err(|_| odd())?;
            return Ok((nulls > 0).then_some(Flaw::Null(nulls)));
        }
        Selection::Range { after, upto } => select::range(&question, after.as_ref(), upto.as_ref()),
        Selection::Keys(keys) => match select::keys(&question, keys) {
            Some(within) => within,
            None => return Ok(None),
        },
    };
    let cells = select::cells(&question.key);
    let query =
        format!("select {cells} from {only}{within} group by {cells} having count(*) > 1 limit 1");
    let found = open.session.query(&query).await?;
    let twice = found.first().map(|cells| question.key_of(cells)).transpose()?;
    Ok(twice.map(Flaw::Twice))
}

/// How many rows there are in each group.
pub(super) async fn groups(
    open: &mut Open,
    ask: &Ask,
    groups: &Groups,
) -> Result<Listed<i64>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let by = groups.by.iter().map(|wanted| asked(&relation, wanted));
    let by = by.collect::<Result<Vec<_>, Fault>>()?;
    let number = match &groups.value {
        Some(value) => format!("coalesce(sum({}), 0)", held(&relation, value)?.sql),
        None => "count(*)".to_owned(),
    };
    let same = select::list(by.iter().map(|it| same(it.held)));
    let comma = if by.is_empty() { "" } else { "," };
    let grouped = if by.is_empty() { String::new() } else { format!(" group by {same}") };
    let mut all = BTreeMap::new();
    for within in of_groups(&question, &by, groups) {
        let query = format!(
            "select {same}{comma} {number} from {}{within}{grouped} limit {}",
            relation.only,
            groups.groups_max.min(ROWS_MAX) + 1
        );
        for cells in open.session.query(&query).await? {
            add(&mut all, &by, &cells)?;
        }
    }
    if let Some(only) = &groups.only {
        let only: BTreeSet<&Key> = only.iter().collect();
        all.retain(|key, _| only.contains(key));
    }
    let more = all.len() > groups.groups_max;
    Ok(Listed { found: all.into_iter().take(groups.groups_max).collect(), more })
}

/// The rows of the groups that are asked for, in a few parts.
fn of_groups(question: &Question<'_>, by: &[Asked<'_>], groups: &Groups) -> Vec<String> {
    let meant = select::meant(question);
    let Some(only) = &groups.only else { return vec![select::filtered(meant)] };
    let only: Vec<&Key> = only.iter().collect::<BTreeSet<_>>().into_iter().collect();
    let parts = only.chunks(KEYS_MAX).filter_map(|some| select::having(by, some));
    parts.map(|part| select::filtered(meant.iter().cloned().chain([part]))).collect()
}

/// Groups that are one as values to us are one, even if the server has several.
fn add(all: &mut BTreeMap<Key, i64>, by: &[Asked<'_>], cells: &Cells) -> Result<(), Failure> {
    let key = key(by, cells)?;
    let number = cells.last().and_then(Option::as_deref).ok_or_else(odd)?;
    let number = number.parse().map(|it: Decimal| Value::Decimal(it).whole());
    let sum = all.entry(key).or_insert(0_i64);
    let added = number.ok().flatten().and_then(|number| sum.checked_add(number));
    let too_much = || {
        let what = "the numbers of a group are not whole, or larger than a number can be";
        Fault::stop(Code::CountWrong, what)
    };
    *sum = added.ok_or_else(too_much)?;
    Ok(())
}

/// The value in the row that is the so-manieth from the greatest.
pub(super) async fn newest(
    open: &mut Open,
    ask: &Ask,
    by: &Wanted,
    rows: u64,
) -> Result<Option<Value>, Failure> {
    let relation = open.asked(ask).await?;
    let question = Question::new(&relation, ask)?;
    let by = asked(&relation, by)?;
    let sql = &by.held.sql;
    let known = by.held.nullable.then(|| format!("{sql} is not null"));
    let query = format!(
        "select {sql} from {}{} order by {sql} desc offset {} limit 1",
        relation.only,
        select::filtered(select::meant(&question).into_iter().chain(known)),
        rows.saturating_sub(1)
    );
    let found = open.session.query(&query).await?;
    let Some(cell) = found.first().and_then(|cells| cells.first()) else { return Ok(None) };
    let value = key_value(&by, cell.as_deref());
    Ok(Some(value.map_err(|wrong| unread(&wrong))?))
}

/// The end of the server's log; none if it does not tell.
pub(super) async fn position(open: &Open) -> Result<Option<String>, Failure> {
    let ask = "select case when pg_is_in_recovery() then pg_last_wal_replay_lsn()
        else pg_current_wal_insert_lsn() end";
    match open.session.query(ask).await {
        Ok(rows) => Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()?)),
        Err(Trouble::Refused(_)) => Ok(None),
        Err(trouble) => Err(trouble.into()),
    }
}

/// What is the same for values that are the same to us, and read as they are: what the server calls
/// equal may look in several ways.
fn same(held: &Held) -> String {
    let sql = &held.sql;
    match held.form {
        Form::Text if held.is_any_text() => format!("{sql} collate \"C\""),
        Form::Text | Form::Json | Form::Array(..) | Form::Interval | Form::TimeTz => {
            format!("case when {sql} is not null then concat({sql}) end collate \"C\"")
        }
        _ => sql.clone(),
    }
}
