//! The bounds that a user may set; their defaults are those of the engine and the journal.

use crate::config::shape::Presence::{Default, Later};
use crate::config::shape::{Key, Shape};

pub(super) static LIMITS: [Key; 29] = [
    bytes("journal_bytes_max", "10737418240", "The journal on disk, all lanes together."),
    bytes("segment_bytes_max", "67108864", "One file of the journal."),
    bytes("record_bytes_max", "268435456", "One entry of the journal."),
    bytes("part_bytes_max", "1048576", "One part of a transaction, as a source hands it over."),
    bytes("open_bytes_max", "4194304", "Changes of open transactions in memory."),
    bytes("inline_bytes_max", "1048576", "A transaction that is not staged before its commit."),
    bytes("append_bytes_max", "2097152", "What is appended to the journal at once."),
    count("append_steps_max", "1000", "Steps of a source that are appended at once."),
    bytes("read_bytes_max", "524288", "Entries that are read from the journal at once."),
    count("batch_changes_max", "5000", "Changes that a target is given at once."),
    bytes("batch_bytes_max", "2097152", "Memory for the changes that a target is given at once."),
    count("held_keys_max", "10000", "Keys that a target may refuse before it stops."),
    count("ask_rows_max", "1000", "Rows that are read from a source in one statement."),
    bytes("ask_bytes_max", "1048576", "Memory for the rows of one statement."),
    count("asks_max", "4", "Readings of a source that are under way at once."),
    count(
        "stretches_ahead_max",
        "8",
        "Stretches of a copy that are read ahead while it is filled.",
    ),
    count("touched_max", "100000", "Keys remembered as touched while rows are being read."),
    count(
        "reread_max",
        "3",
        "Times that a busy key is read again before its changes are laid over it.",
    ),
    count("bridge_deletes_max", "1000", "Rows that a pass may delete from a copy by itself."),
    count("groups_max", "1000000", "Groups of one count."),
    count("retry_budget_max", "10", "Retries in a row before only the longest pause is left."),
    pause("retry_pause_seconds", "30", "The longest pause between two tries."),
    pause("hold_retry_seconds", "300", "The longest pause before a refused row is tried again."),
    pause("answer_seconds", "60", "How long a database may take to answer."),
    pause("lease_seconds", "10", "How long a lease on a target lasts without renewal."),
    pause("flush_seconds", "1", "How long a target's commits may stay without being durable."),
    Key {
        name: "slot_wal_bytes_max",
        shape: Shape::Whole { min: 0, max: 1 << 50 },
        presence: Default("68719476736"),
        about: "Write-ahead log that a PostgreSQL keeps for a source; beyond that its slot is given \
                up and history is lost. 0 for no bound.",
    },
    pause("full_grace_seconds", "10", "How long a target may hold up a full journal."),
    later("held_changes_max", "Changes that are kept for a refused key of an HTTP target."),
];

const fn bytes(name: &'static str, default: &'static str, about: &'static str) -> Key {
    let shape = Shape::Whole { min: 4 << 10, max: 1 << 50 };
    Key { name, shape, presence: Default(default), about }
}

const fn count(name: &'static str, default: &'static str, about: &'static str) -> Key {
    let shape = Shape::Whole { min: 1, max: 1_000_000_000 };
    Key { name, shape, presence: Default(default), about }
}

const fn pause(name: &'static str, default: &'static str, about: &'static str) -> Key {
    let shape = Shape::Seconds { millis_min: 100, millis_max: 86_400_000 };
    Key { name, shape, presence: Default(default), about }
}

const fn later(name: &'static str, about: &'static str) -> Key {
    Key { name, shape: Shape::Whole { min: 0, max: 0 }, presence: Later, about }
}
