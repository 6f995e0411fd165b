//! The lease of a lane: who writes it, for how long by the file's clock, and under which epoch.

use super::books::CLOCK;
use model::{Epoch, Lane, Leadership, Tenure};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::time::Duration;

/// What asking for a lease would come to now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Another instance, or a later run or connection of this one, has it.
    Elsewhere { instance: String, remaining: Duration },
    /// The asker has it, or may have it under this epoch.
    Free { epoch: Epoch, is_new: bool },
}

/// Looks who has the lease, and writes nothing.
pub(super) fn look(connection: &Connection, lane: &Lane, tenure: &Tenure) -> Result<Asked> {
    let ask = format!(
        "select instance, run, connection, epoch, until - {CLOCK} from instep_leases
         where lane = ?1"
    );
    let found = connection.prepare_cached(&ask)?.query_row([lane.as_str()], |row| {
        let term = (row.get::<_, i64>(1)?.cast_unsigned(), row.get::<_, i64>(2)?.cast_unsigned());
        let epoch = Epoch(row.get::<_, i64>(3)?.cast_unsigned());
        Ok((row.get::<_, String>(0)?, term, epoch, row.get::<_, i64>(4)?))
    });
    let Some((instance, term, epoch, remaining)) = found.optional()? else {
        return Ok(Asked::Free { epoch: Epoch(1), is_new: true });
    };
    let ours = (tenure.run, tenure.connection);
    let remaining = Duration::from_micros(remaining.try_into().unwrap_or(0));
    if !remaining.is_zero() && (instance != tenure.instance || term > ours) {
        return Ok(Asked::Elsewhere { instance, remaining });
    }
    let is_same = instance == tenure.instance && term == ours;
    let epoch = if is_same { epoch } else { Epoch(epoch.0 + 1) };
    Ok(Asked::Free { epoch, is_new: !is_same })
}

/// Which instances have a lease of any lane now.
pub(super) fn leaders(connection: &Connection) -> Result<Vec<String>> {
    let ask =
        format!("select distinct instance from instep_leases where until > {CLOCK} order by 1");
    connection.prepare(&ask)?.query_map([], |row| row.get(0))?.collect()
}

/// Takes or renews the lease, in the transaction that is open.
pub(super) fn take(connection: &Connection, lane: &Lane, tenure: &Tenure) -> Result<Leadership> {
    let epoch = match look(connection, lane, tenure)? {
        Asked::Elsewhere { instance, remaining } => {
            return Ok(Leadership::Elsewhere { instance, remaining });
        }
        Asked::Free { epoch, .. } => epoch,
    };
    let take = format!(
        "insert or replace into instep_leases (lane, instance, run, connection, epoch, until)
         values (?1, ?2, ?3, ?4, ?5, {CLOCK} + ?6)"
    );
    let lasting = i64::try_from(tenure.lasting.as_micros()).unwrap_or(i64::MAX / 4);
    connection.prepare_cached(&take)?.execute(params![
        lane.as_str(),
        tenure.instance,
        tenure.run.cast_signed(),
        tenure.connection.cast_signed(),
        epoch.0.cast_signed(),
        lasting,
    ])?;
    Ok(Leadership::Held(epoch))
}
