//! Readers who are abreast of the writer, and readers who fall behind it.

use crate::support::{append, at, changes, commit, dir, lane, open, read_all, whole};
use ::model::{Append, Change, Changes, Entry, Epoch, Log, Read, Table};
use instep_journal::{Journal, Options};
use std::sync::Arc;
use testkit::disk::FaultyDisk;
use testkit::offload::InPlace;

#[tokio::test]
async fn a_reader_who_is_abreast_needs_no_file() {
    let disk = FaultyDisk::new();
    let journal = open(&disk).unwrap();
    append(&journal, 1).await.unwrap();
    append(&journal, 2).await.unwrap();
    disk.fail_next_read();
    assert_eq!(read_all(&journal, Some(at(1))).await.unwrap(), [2]);
    disk.heal();
    drop(journal);
    let journal = open(&disk).unwrap();
    assert_eq!(read_all(&journal, Some(at(1))).await.unwrap(), [2], "from the file");
}

/// It begins where the writer has been, at a place before which nobody has read anything.
#[tokio::test]
async fn a_reader_who_fell_behind_gets_everything_in_the_shape_that_it_had() {
    let disk = FaultyDisk::new();
    let options = Options::default();
    let journal =
        Journal::open(Arc::new(disk), dir(), options, Arc::new(InPlace)).expect("a journal");
    let of = |number: u64| if number < 30 { "t" } else { "a later table" };
    for number in 1..=100 {
        let in_table = |change: Change| Change {
            table: Arc::new(Table { name: of(number).into(), ..Table::clone(&change.table) }),
            ..change
        };
        let changes = changes(3, 10_000).into_iter().map(in_table).collect();
        let entry = match number {
            // Nobody keeps what this one says in memory.
            60 => whole(60, self::changes(50, 10_000)),
            _ => Append::Commit(commit(number), Changes::Inline(changes)),
        };
        journal.append(&lane(), vec![entry], Epoch::LIVE).await.unwrap();
    }
    for from in [99, 98, 61, 60, 59, 45, 29, 28, 1, 0] {
        let after = (from > 0).then(|| at(from));
        let mut read = read_all(&journal, after).await.unwrap();
        // In parts, where one is larger than what is read at once.
        read.dedup();
        assert_eq!(read, (from + 1..=100).collect::<Vec<_>>());
    }
    let Read::Entries(entries) = journal.read(&lane(), Some(&at(40)), 1).await.unwrap() else {
        panic!("it is there")
    };
    let Entry::Part(part) = &entries[0] else { panic!("a transaction") };
    assert_eq!((part.changes[0].table.name.as_str(), part.changes.len()), ("a later table", 1));
}
