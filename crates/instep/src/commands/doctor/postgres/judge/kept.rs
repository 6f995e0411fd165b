//! PURE: slots of Instep and the write-ahead log that the server keeps back for them.

use super::sql;
use crate::commands::doctor::check::{Check, Layer};
use crate::commands::doctor::files::shown;
use crate::problem::Problem;
use connectors::postgres::glance::{Kept, ServerFacts};
use model::Code;

/// As many slots are told of one by one.
const TOLD_MAX: usize = 10;

/// Whether a slot that nobody reads could fill the server's disk.
pub(in crate::commands::doctor::postgres) fn bound(server: &ServerFacts, own_max: u64) -> Check {
    let (layer, tried) = (Layer::Capability, "ask for max_slot_wal_keep_size");
    match server.kept_mib_max {
        Some(mib) => {
            let found = format!("a slot keeps back {} at most", shown(mib.saturating_mul(1 << 20)));
            Check::good(layer, tried, found)
        }
        None => {
            let what = "the server keeps back any amount of write-ahead log for a slot";
            let own = match own_max {
                0 => "Instep sets no bound either (limits.slot_wal_bytes_max is 0)".to_owned(),
                max => format!(
                    "Instep gives its slot up beyond {} (limits.slot_wal_bytes_max), but only \
                     while it runs",
                    shown(max)
                ),
            };
            let fix = "let an administrator run `alter system set max_slot_wal_keep_size = \
                       '64GB'` with a size that the disk can spare, and `select pg_reload_conf()`";
            Check::problem(layer, tried, Problem::new(Code::PostgresWalKept, what, own, fix))
        }
    }
}

/// What is kept back for our slot, and for those that nobody reads.
pub(in crate::commands::doctor::postgres) fn kept(kept: &[Kept], own: Option<&str>) -> Vec<Check> {
    let (ours, others): (Vec<_>, Vec<_>) =
        kept.iter().partition(|kept| Some(kept.slot.as_str()) == own);
    let left = others.into_iter().filter(|kept| kept.reader.is_none());
    let mut left: Vec<_> = left.collect();
    left.sort_by_key(|kept| std::cmp::Reverse(kept.bytes));
    let left = left.into_iter().take(TOLD_MAX).map(abandoned);
    ours.into_iter().map(followed).chain(left).collect()
}

fn followed(kept: &Kept) -> Check {
    let (layer, tried) = (Layer::Capability, format!("ask for the slot {}", kept.slot));
    let read = match kept.reader {
        Some(process) => format!("process {process} reads it"),
        None => "nobody reads it now".to_owned(),
    };
    let found =
        format!("{read}, and {} are kept back for it ({})", shown(kept.bytes), kept.standing);
    let (why, fix) = match kept.standing.as_str() {
        "unreserved" => (
            "the server gives it up at its next checkpoint, and history is lost then",
            "start `instep run` now, or raise max_slot_wal_keep_size",
        ),
        "lost" => (
            "the server has given it up; every copy has to be compared with the source",
            "start `instep run`, which makes a new one and compares by itself; raise \
             max_slot_wal_keep_size so that it does not happen again",
        ),
        _ => return Check::good(layer, tried, found),
    };
    Check::problem(layer, tried, Problem::new(Code::PostgresWalKept, found, why, fix))
}

fn abandoned(kept: &Kept) -> Check {
    let (layer, tried) = (Layer::Capability, "look for slots that nobody reads");
    let Kept { slot, database, bytes, .. } = kept;
    let what = format!(
        "nobody reads the slot {slot} of the database {database}, and {} are kept back for it",
        shown(*bytes)
    );
    let why = "another Instep made it, and left it behind or does not run; what is kept back grows \
               with every write to the server";
    let fix = format!(
        "start that Instep; or, if it is gone for good, run `select pg_drop_replication_slot({})`",
        sql::text(slot)
    );
    Check::problem(layer, tried, Problem::new(Code::PostgresWalKept, what, why, fix))
}
