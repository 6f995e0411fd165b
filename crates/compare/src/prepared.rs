//! Prepared: two tables that can be compared, and what was agreed on for it.

use crate::agree::{self, Agreement};
use crate::plan::Plan;
use crate::refused::{Refused, Side};
use crate::terms::{End, Scope, Terms};
use crate::verdict::{Agreed, Method};
use model::{Audit, Fault, Looked};
use std::sync::Arc;

/// Two tables that can be compared, and how.
pub struct Prepared {
    pub(crate) source: End,
    pub(crate) copy: End,
    pub(crate) terms: Terms,
    pub(crate) agreement: Agreement,
    pub(crate) plan: Plan,
    stores: [String; 2],
    /// About how many rows the source has.
    pub(crate) rows: Option<u64>,
    pub(crate) is_sorted_alike: bool,
    pub(crate) position: Option<String>,
    pub(crate) method: Method,
}

/// Looks at both tables, and agrees on how to compare them. Reads no rows, but for those that say
/// which are the newest.
pub async fn prepare(source: &End, copy: &End, terms: Terms) -> Result<Prepared, Refused> {
    let (mut at_source, looked_source) = open(source, Side::Source).await?;
    let (mut at_copy, looked_copy) = open(copy, Side::Copy).await?;
    let terms = counted(terms)?;
    let agreement = agree::agree(&looked_source, &looked_copy, &terms)?;
    let mut plan = Plan::new(&agreement, source, copy, terms.seed);
    refuse(Side::Source, at_source.admit(&plan.source).await)?;
    refuse(Side::Copy, at_copy.admit(&plan.copy).await)?;
    if let Scope::Newest { rows, by } = &terms.scope {
        let paired = agreement.key.iter().chain(&agreement.columns);
        let Some(by) = paired.into_iter().find(|it| it.copy.name == *by) else {
            return Err(Refused::terms(
                format!("the newest rows are those with the greatest {by}, which is not compared"),
                "name a column with --by that both sides have, and that is compared",
            ));
        };
        let found = at_source.newest(&plan.source, &by.source, *rows).await;
        if let Some(value) = refuse(Side::Source, found)? {
            plan.source.from = Some((by.source.clone(), value.clone()));
            plan.copy.from = Some((by.copy.clone(), value));
        }
    }
    let position = refuse(Side::Source, at_source.position().await)?;
    let method = match (&terms.counts, agreement.has_sums) {
        (Some(_), _) => Method::Counts,
        (None, true) => Method::Sums,
        (None, false) => Method::Rows,
    };
    Ok(Prepared {
        source: source.clone(),
        copy: copy.clone(),
        is_sorted_alike: is_sorted_alike(&agreement, &looked_source, &looked_copy),
        rows: looked_source.rows,
        stores: [looked_source.store, looked_copy.store],
        terms,
        agreement,
        plan,
        position,
        method,
    })
}

/// Numbers are told apart by what makes a group, and nothing else is compared.
fn counted(terms: Terms) -> Result<Terms, Refused> {
    let Some(counts) = &terms.counts else { return Ok(terms) };
    if terms.scope != Scope::All || !terms.references.is_empty() {
        return Err(Refused::terms(
            "numbers of rows are compared over all of them",
            "leave out --sample, --newest and --references, or --counts",
        ));
    }
    let by = counts.by.clone();
    Ok(Terms { key: Some(by), columns: Some(Vec::new()), ..terms })
}

async fn open(end: &End, side: Side) -> Result<(Box<dyn Audit>, Looked), Refused> {
    let mut audit = refuse(side, end.store.connect().await)?;
    let looked = refuse(side, audit.look(&end.table).await)?;
    let looked = looked.ok_or_else(|| {
        let what = format!("the {side} has no table {}", end.table);
        Refused::Store { side, fault: Fault::stop(model::Code::TableMissing, what) }
    })?;
    Ok((audit, looked))
}

fn refuse<T>(side: Side, answer: Result<T, Fault>) -> Result<T, Refused> {
    answer.map_err(|fault| Refused::Store { side, fault })
}

fn is_sorted_alike(agreement: &Agreement, source: &Looked, copy: &Looked) -> bool {
    let sorted = |looked: &Looked, name: &str| {
        let place = looked.table.columns.iter().position(|column| *column.name == *name)?;
        looked.columns.get(place)?.sorted.clone()
    };
    agreement.key.iter().all(|paired| {
        let at_source = sorted(source, &paired.source.name);
        at_source.is_some() && at_source == sorted(copy, &paired.copy.name)
    })
}

impl Prepared {
    /// How each column is compared, those of the key first.
    pub fn agreed(&self) -> &[Agreed] {
        &self.agreement.agreed
    }

    /// Columns that only one side has, with that side.
    pub fn alone(&self) -> &[(Arc<str>, &'static str)] {
        &self.agreement.alone
    }

    /// How rows are compared.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The stores in a few words: the source's, and the copy's.
    pub fn stores(&self) -> [&str; 2] {
        [&self.stores[0], &self.stores[1]]
    }
}
