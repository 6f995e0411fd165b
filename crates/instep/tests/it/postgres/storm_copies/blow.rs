//! The blows: what breaks, and how it is healed again. Each lasts for some work of the writers, or
//! until it is felt.

use super::world::World;
use super::writer::HEAVY;
use crate::postgres::two_instances::instep::Instep;
use crate::rig::{Chance, until};

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Blow {
    /// An Instep is killed, and comes back later.
    Killed,
    /// An Instep stands still for longer than its lease, and goes on.
    Paused,
    /// The target crashes and is there again.
    Crashed,
    /// The target is away for a while.
    Away,
    /// A standby takes the target's place, without what it has not heard of.
    FailedOver,
    /// The role may not write for a while.
    Revoked,
    /// The disk of the copies is full for a while.
    Full,
    /// The copies refuse some rows for a while.
    Refused,
    /// All connections end.
    Cut,
}

/// All of them.
pub(super) const BLOWS: [Blow; 9] = [
    Blow::Killed,
    Blow::Paused,
    Blow::Crashed,
    Blow::Away,
    Blow::FailedOver,
    Blow::Revoked,
    Blow::Full,
    Blow::Refused,
    Blow::Cut,
];

const HOLDS: &str = "select count(*) from instep.holds";

/// Strikes, and heals.
pub(super) async fn strike(
    world: &World,
    insteps: &mut [Instep; 2],
    blow: Blow,
    chance: &mut Chance,
) {
    let one = usize::from(chance.once_in(2));
    let work = 10 + chance.below(60);
    match blow {
        Blow::Killed => {
            insteps[one].kill();
            more(world, work).await;
            insteps[one].start();
        }
        Blow::Paused => {
            insteps[one].signal("STOP");
            more(world, work).await;
            let name = insteps[one].name();
            let none = format!("select count(*) = 0 from instep.leases where instance = '{name}'");
            let is_led = || world.ask_copies(&none) == "t";
            assert!(until("the other one leads", is_led).await, "{}", logs(insteps));
            insteps[one].signal("CONT");
        }
        Blow::Crashed => world.target().crash(),
        Blow::Away => {
            world.target().die();
            more(world, work).await;
            world.target().start_again();
        }
        Blow::FailedOver => world.fail_over(),
        Blow::Revoked => {
            world.ask_copies("revoke insert, update, delete on question from mover");
            let before = count(insteps, "E-POSTGRES-PRIVILEGE");
            let is_felt = || count(insteps, "E-POSTGRES-PRIVILEGE") > before;
            assert!(until("the right is missed", is_felt).await, "{}", logs(insteps));
            more(world, work).await;
            world.ask_copies("grant insert, update, delete on question to mover");
        }
        Blow::Full => {
            let disk = world.disk().expect("the copies lie on it");
            disk.fill();
            let before = count(insteps, "53100");
            let is_felt = || count(insteps, "53100") > before;
            assert!(until("the disk is full", is_felt).await, "{}", logs(insteps));
            more(world, work).await;
            disk.free();
        }
        Blow::Refused => {
            // What is there already is not looked at.
            world.ask_copies(&format!(
                "alter table question add constraint light check (weight < {HEAVY}) not valid"
            ));
            let is_held = || world.ask_copies(HOLDS) != "0";
            assert!(until("a row is held", is_held).await, "{}", logs(insteps));
            more(world, work).await;
            world.ask_copies("alter table question drop constraint light");
        }
        Blow::Cut => world.cut(),
    }
}

/// Waits until writers have done so much more.
pub(super) async fn more(world: &World, work: u64) {
    let before = world.work();
    let is_done = until("writers go on", || world.work() >= before + work).await;
    assert!(is_done, "writers do not go on");
}

/// How often both have logged some words.
pub(super) fn count(insteps: &[Instep; 2], words: &str) -> usize {
    insteps.iter().map(|it| it.log().matches(words).count()).sum()
}

/// What both have logged at last.
pub(super) fn logs(insteps: &[Instep; 2]) -> String {
    let last = |it: &Instep| {
        let log = it.log();
        let lines: Vec<_> = log.lines().collect();
        let lines = &lines[lines.len().saturating_sub(25)..];
        lines.iter().filter_map(|line| short(line)).collect::<Vec<_>>().join("\n")
    };
    insteps.each_ref().map(last).join("\n-- the other one --\n")
}

/// A line of a log, in short.
fn short(line: &str) -> Option<String> {
    // A panic has lines of its own.
    let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else {
        return Some(line.to_owned());
    };
    let said = ["timestamp", "message", "who", "code", "trouble"].map(|field| line[field].as_str());
    Some(said.into_iter().flatten().collect::<Vec<_>>().join(" "))
}
