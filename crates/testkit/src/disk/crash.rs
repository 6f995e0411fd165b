//! What a crash leaves: each unsynced write whole, lost or torn; each unsynced name or the one
//! before.
//!
//! Must not know: faults that are armed.

use super::state::{FileState, Node, Pending, State, apply, place};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: u64 = 512;

/// Takes the disk through a crash.
pub(super) fn crash(state: &mut State, choose: &mut dyn FnMut(u64) -> u64) {
    choose_names(state, choose);
    state.names = state.durable_names.clone();
    let nodes: BTreeSet<u64> = state.names.values().filter_map(number).collect();
    state.files.retain(|number, _| nodes.contains(number));
    let counts = &mut state.counts;
    for file in state.files.values_mut() {
        let (lost, torn) = settle(file, choose);
        counts.lost_writes += lost;
        counts.torn_writes += torn;
    }
    state.end_process();
    state.disarm();
}

/// Each name that was made or removed and not synced is as before or as now.
fn choose_names(state: &mut State, choose: &mut dyn FnMut(u64) -> u64) {
    let all: BTreeSet<PathBuf> =
        state.names.keys().chain(state.durable_names.keys()).cloned().collect();
    for path in all {
        let now = state.names.get(&path).copied();
        if now == state.durable_names.get(&path).copied() {
            continue;
        }
        if choose(2) == 0 {
            state.counts.lost_entries += 1;
        } else if let Some(node) = now {
            state.durable_names.insert(path, node);
        } else {
            state.durable_names.remove(&path);
        }
    }
    // What is below a directory that was lost is lost with it. Paths above come first.
    let mut kept: BTreeSet<PathBuf> = BTreeSet::new();
    state.durable_names.retain(|path, _| {
        // The root is always there.
        let is_kept =
            path.parent().is_none_or(|above| above.parent().is_none() || kept.contains(above));
        if is_kept {
            kept.insert(path.clone());
        }
        is_kept
    });
}

/// Decides on each unsynced write of a file; how many were lost and torn.
fn settle(file: &mut FileState, choose: &mut dyn FnMut(u64) -> u64) -> (u64, u64) {
    let (mut lost, mut torn) = (0, 0);
    for pending in std::mem::take(&mut file.pending) {
        let Pending::Write(at, bytes) = &pending else {
            if choose(2) == 0 {
                apply(&mut file.durable, &pending);
            }
            continue;
        };
        match choose(8) {
            0..=2 => apply(&mut file.durable, &pending),
            3 | 4 => lost += 1,
            kind => {
                torn += 1;
                tear(&mut file.durable, *at, bytes, kind, choose);
            }
        }
    }
    file.content = file.durable.clone();
    (lost, torn)
}

/// Keeps some sectors of a write: those before one, the same and garbage in the next, or any.
fn tear(
    durable: &mut Vec<u8>,
    at: u64,
    bytes: &[u8],
    kind: u64,
    choose: &mut dyn FnMut(u64) -> u64,
) {
    let sectors = sectors(at, bytes);
    let kept = choose(sectors.len() as u64);
    for (index, (at, sector)) in (0..).zip(sectors) {
        let sector = match kind {
            7 if choose(2) == 0 => sector.to_vec(),
            5 | 6 if index < kept => sector.to_vec(),
            6 if index == kept => {
                sector.iter().map(|_| u8::try_from(choose(256)).unwrap_or(0)).collect()
            }
            _ => continue,
        };
        apply(durable, &Pending::Write(at, sector));
    }
}

/// A write, cut where sectors begin.
fn sectors(at: u64, mut bytes: &[u8]) -> Vec<(u64, &[u8])> {
    let (mut at, mut sectors) = (at, Vec::new());
    while !bytes.is_empty() {
        let room = place(SECTOR_BYTES - at % SECTOR_BYTES).min(bytes.len());
        let (sector, rest) = bytes.split_at(room);
        sectors.push((at, sector));
        at += room as u64;
        bytes = rest;
    }
    sectors
}

fn number(node: &Node) -> Option<u64> {
    match node {
        Node::File(number) => Some(*number),
        Node::Dir => None,
    }
}
