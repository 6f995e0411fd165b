//! PURE: what a server is and has: version, part, settings, clock.

use crate::commands::doctor::check::{Check, Layer};
use crate::problem::Problem;
use connectors::postgres::glance::ServerFacts;
use connectors::postgres::schema::Described;
use model::Code;
use std::time::Duration;

/// The first major version that will do, and the last that the tests know.
const MAJORS: (u32, u32) = (15, 18);

/// From which minor version on a major one has no fault in logical decoding that is known to lose
/// changes: slots whose beginning moved backwards, and changes of transactions that were open while a
/// publication was altered (PS10, PS11).
const MINORS: [(u32, u32); 3] = [(15, 13), (16, 9), (17, 5)];

/// Whether its version will do; one that is followed has to be sound in more.
pub(in crate::commands::doctor::postgres) fn version(
    server: &ServerFacts,
    is_followed: bool,
) -> Check {
    let (layer, tried) = (Layer::Role, "ask for its version");
    let (major, minor) = (server.version / 10_000, server.version % 10_000);
    let found = format!("PostgreSQL {}", server.version_text);
    let sound = MINORS.iter().find(|(it, _)| *it == major).map_or(0, |(_, minor)| *minor);
    if major < MAJORS.0 {
        return Check::bad(layer, tried, Code::PostgresVersion, found);
    }
    if major > MAJORS.1 {
        let what = format!("{found}, which is newer than what Instep is tested with");
        return Check::bad(layer, tried, Code::PostgresDoubtful, what);
    }
    if is_followed && minor < sound {
        let what = format!("{found}, whose faults in logical decoding {major}.{sound} mended");
        return Check::bad(layer, tried, Code::PostgresDoubtful, what);
    }
    Check::good(layer, tried, found)
}

/// Whether it is the one that is written to.
pub(in crate::commands::doctor::postgres) fn primary(server: &ServerFacts) -> Check {
    let (layer, tried) = (Layer::Role, "ask whether it is the primary");
    let at = server.address.as_deref().map(|at| format!(" at {at}")).unwrap_or_default();
    match server.is_standby {
        false => Check::good(layer, tried, format!("it is{at}")),
        true => {
            let what = format!("the server{at} is a standby");
            Check::bad(layer, tried, Code::PostgresStandby, what)
        }
    }
}

/// Whether it writes down what rows became.
pub(in crate::commands::doctor::postgres) fn wal_level(server: &ServerFacts) -> Check {
    let (layer, tried) = (Layer::Capability, "ask for wal_level");
    match server.wal_level.as_str() {
        "logical" => Check::good(layer, tried, "it is logical"),
        other => Check::bad(layer, tried, Code::PostgresWalLevel, format!("it is {other}")),
    }
}

/// Whether there is room for one more slot, and for a connection that streams. Where a slot of ours
/// is there already, so is the room for its reader; and a connection that we had was one.
pub(in crate::commands::doctor::postgres) fn room(
    server: &ServerFacts,
    has_slot: bool,
    had_sender: bool,
) -> Vec<Check> {
    let one = |setting: &str, what: &str, (max, used): (u32, u32), has_one: bool| {
        let (layer, tried) = (Layer::Capability, format!("ask for {setting}"));
        let found = format!("{used} of {max} {what} are in use");
        match used < max || has_slot || has_one {
            true => Check::good(layer, tried, found),
            false => {
                let fix = format!(
                    "drop slots that nobody reads, or run `alter system set {setting} = {}` and \
                     restart the server",
                    max + 5
                );
                let why = "following a database takes one of each";
                Check::problem(layer, tried, Problem::new(Code::PostgresSlot, found, why, fix))
            }
        }
    };
    vec![
        one("max_replication_slots", "slots", server.slots, false),
        one("max_wal_senders", "connections that stream", server.senders, had_sender),
    ]
}

/// A table that can be followed.
pub(in crate::commands::doctor::postgres) fn followable(described: &Described) -> String {
    let table = &described.table;
    let key: Vec<_> = table.key_names().collect();
    let leaves = match described.is_partitioned {
        true => format!(" in {} partitions", described.leaves.len()),
        false => String::new(),
    };
    let columns = table.columns.len();
    format!("it can be followed{leaves}: {columns} columns, key {}", key.join(", "))
}

/// How long the smallest question takes.
pub(in crate::commands::doctor::postgres) fn latency(tried: &str, took: Duration) -> Check {
    let found = format!("{took:.1?}");
    match took > SLOW {
        false => Check::good(Layer::Latency, tried, found),
        true => Check::bad(Layer::Latency, tried, Code::ServiceSlow, found),
    }
}

/// From when on a service is slow.
const SLOW: Duration = Duration::from_secs(1);

/// Whether its clock is this machine's, which was read before and after it.
pub(in crate::commands::doctor::postgres) fn clock(before: i64, server: i64, after: i64) -> Check {
    let (layer, tried) = (Layer::Latency, "compare its clock with this machine's");
    let apart = match server {
        server if server < before => before - server,
        server if server > after => server - after,
        _ => 0,
    };
    let shown = Duration::from_micros(u64::try_from(apart).unwrap_or(0));
    match apart > CLOCK_MICROS {
        false => {
            Check::good(layer, tried, format!("they are at most {:.1?} apart", shown.max(MILLI)))
        }
        true => {
            let which = if server < before { "behind" } else { "ahead" };
            let what = format!("it is {shown:.1?} {which}");
            Check::bad(layer, tried, Code::ClockApart, what)
        }
    }
}

/// Clocks that are closer are as good as one.
const CLOCK_MICROS: i64 = 5_000_000;
const MILLI: Duration = Duration::from_millis(1);
