//! The lease of a lane: who writes it, for how long by the server's clock, and under which epoch.

use super::trouble::{damaged, of_server};
use crate::postgres::access::Access;
use crate::postgres::session::{Cells, Session};
use crate::postgres::trouble::Trouble;
use model::{Epoch, Fault, Lane, Leadership, Tenure};
use std::time::Duration;

/// One statement, so that nobody is left waiting for somebody who stops in between. A later run or
/// connection of the same instance takes over at once, an earlier one never.
const TAKE: &str = "
    insert into instep.leases as l (lane, instance, run, connection, epoch, until)
    values ($1, $2, $3::int8, $4::int8, 1, clock_timestamp() + $5::interval)
    on conflict (lane) do update set
        epoch = l.epoch + case when (l.instance, l.run, l.connection)
            = (excluded.instance, excluded.run, excluded.connection) then 0 else 1 end,
        instance = excluded.instance, run = excluded.run, connection = excluded.connection,
        until = excluded.until
    where l.until <= clock_timestamp() or l.instance = excluded.instance
        and (l.run, l.connection) <= (excluded.run, excluded.connection)
    returning epoch::text";

const LOOK: &str = "
    select instance, greatest(0, (extract(epoch from until - clock_timestamp()) * 1000)::int8)::text
    from instep.leases where lane = $1";

/// Takes or renews the lease.
pub(super) async fn take(
    session: &Session,
    access: &Access,
    lane: &Lane,
    tenure: &Tenure,
) -> Result<Leadership, Fault> {
    let judge = |trouble| of_server(access, trouble);
    let (run, connection) = (tenure.run.to_string(), tenure.connection.to_string());
    let lasting = format!("{} milliseconds", tenure.lasting.as_millis());
    let of_tenure = [tenure.instance.as_str(), &run, &connection, &lasting];
    let parameters: Vec<_> = [lane.as_str()].into_iter().chain(of_tenure).map(Some).collect();
    let taken = session.ask(TAKE, &parameters).await.map_err(judge)?;
    if let Some(row) = taken.first() {
        let epoch = row.first().and_then(|it| it.as_deref()?.parse().ok());
        let odd = || damaged(access, "a lease of Instep's is not what it wrote");
        return Ok(Leadership::Held(Epoch(epoch.ok_or_else(odd)?)));
    }
    let found = session.ask(LOOK, &[Some(lane.as_str())]).await.map_err(judge)?;
    let elsewhere = found.first().and_then(elsewhere);
    // Whoever had it may have let it go in between.
    Ok(elsewhere
        .unwrap_or(Leadership::Elsewhere { instance: String::new(), remaining: Duration::ZERO }))
}

fn elsewhere(row: &Cells) -> Option<Leadership> {
    let [instance, remaining] = &row[..] else { return None };
    let remaining = Duration::from_millis(remaining.as_deref()?.parse().ok()?);
    Some(Leadership::Elsewhere { instance: instance.clone()?, remaining })
}

/// The lock that each transaction of a lane has while it is open.
pub(super) fn lock_of(lane: &Lane) -> i64 {
    let mixed = lane
        .as_str()
        .bytes()
        .fold(FNV_START, |mixed, byte| (mixed ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    mixed.cast_signed()
}

/// The numbers of a well-known way (FNV-1a) to mix bytes.
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// Ends the transactions that earlier leaders of a lane have left open, which would keep their rows
/// from everybody else as long as their connections live. Without the right to do so they end by
/// their own timeouts.
pub(super) async fn make_way(session: &Session, lane: &Lane) -> Result<(), Trouble> {
    let lock = lock_of(lane).cast_unsigned();
    let (high, low) = (lock >> 32, lock & 0xffff_ffff);
    let end = format!(
        "select pg_terminate_backend(l.pid) from pg_locks l
         join pg_stat_activity a on a.pid = l.pid
         where l.locktype = 'advisory' and l.objsubid = 1 and l.classid = {high}::oid
            and l.objid = {low}::oid and l.pid <> pg_backend_pid()
            and l.database = (select oid from pg_database where datname = current_database())
            and pg_has_role(a.usesysid, 'member')
            and (not (select rolsuper from pg_roles where oid = a.usesysid)
                or current_setting('is_superuser') = 'on')"
    );
    session.query(&end).await.map(drop)
}
