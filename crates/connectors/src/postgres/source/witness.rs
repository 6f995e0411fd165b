//! PURE: what has to be as it was, for the stream to have told everything that was done to the tables.
//!
//! Some things change rows without a word in the stream: a table is dropped and made again, taken out
//! of the publication for a while, or loses or gains a partition that holds rows. Each leaves a trace
//! in numbers of the catalog. They are noted where the history is noted, and compared.

use crate::postgres::lsn::Lsn;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What was seen of a database when its changes were followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Witness {
    /// Rises whenever a standby is promoted.
    pub(super) timeline: u32,
    /// Nothing that was committed up to here is looked at.
    pub(super) began: Lsn,
    /// The publication: its number, and that of the transaction which changed it last.
    pub(super) publication: (u32, u32),
    /// The tables, by name; also those that are not followed any more.
    pub(super) tables: BTreeMap<String, Seen>,
}

/// What was seen of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Its number, another one if it is dropped and made again.
    pub(super) oid: u32,
    /// The number of its place in the publication; zero where it has none of its own.
    pub(super) published: u32,
    /// Whether it is followed.
    pub(super) followed: bool,
    /// Its partitions that hold rows, each with the number of the file that they are in.
    pub(super) leaves: BTreeMap<u32, Leaf>,
    /// Of a kind of an outbox: transactions of this number and above were all told of, whenever
    /// they end. None for a table.
    pub(super) since: Option<u64>,
}

/// A partition that holds rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The number of the file that its rows are in: another one once it is emptied or rewritten.
    pub(super) file: u32,
    /// The number of its attachment: another one if it was detached for a while.
    pub(super) attached: u32,
    /// The transaction that changed it last, as a whole.
    pub(super) changed_by: u32,
    /// Whether it was made as a partition, and so was empty when it came.
    pub(super) is_born: bool,
}

/// Whether the stream says, or may come to say, that a transaction emptied a table: all of it.
pub(super) type Emptied<'a> = &'a dyn Fn(&str, u32) -> bool;

impl Witness {
    /// What went unseen between this and now, if anything may have.
    pub(super) fn missed(&self, now: &Witness, emptied: Emptied<'_>) -> Option<String> {
        if self.publication.0 != 0 && self.publication != now.publication {
            return Some("the publication was made anew or changed meanwhile".to_owned());
        }
        let followed = now.tables.iter().filter(|(_, now)| now.followed);
        let mut missed = followed.filter_map(|(name, now)| {
            let why = self.tables.get(name)?.missed(now, &|by| emptied(name, by))?;
            Some(format!("{name}: {why}"))
        });
        missed.next()
    }

    /// This and what was seen before of tables that are not followed any more.
    #[must_use]
    pub(super) fn with_those_before(mut self, before: &Witness) -> Self {
        for (name, seen) in &before.tables {
            let gone = || Seen { followed: false, ..seen.clone() };
            self.tables.entry(name.clone()).or_insert_with(gone);
        }
        self
    }

    /// The kinds of an outbox that are followed, each with the number of the transaction from which on
    /// all were told of.
    pub(super) fn kinds(&self) -> impl Iterator<Item = (&str, u64)> {
        let followed = self.tables.iter().filter(|(_, seen)| seen.followed);
        followed.filter_map(|(name, seen)| Some((&**name, seen.since?)))
    }

    /// The same number, of one kind.
    pub(super) fn since(&self, kind: &str) -> Option<u64> {
        self.tables.get(kind).filter(|seen| seen.followed)?.since
    }

    /// As bytes, to be kept.
    pub(super) fn to_bytes(&self) -> Bytes {
        let (oid, changed) = self.publication;
        let mut text = format!("{FORM} {} {} {oid} {changed}\n", self.timeline, self.began.0);
        for (name, seen) in &self.tables {
            let followed = u8::from(seen.followed);
            let _ = write!(text, "{} {} {followed}", seen.oid, seen.published);
            if let Some(since) = seen.since {
                let _ = write!(text, " {SINCE}{since}");
            }
            for (oid, leaf) in &seen.leaves {
                let _ = write!(text, " {oid}:{}:{}", leaf.file, leaf.attached);
            }
            let _ = writeln!(text, "\t{}", name.replace('\n', " "));
        }
        text.into()
    }

    /// From bytes that were kept; nothing if they are none of ours.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(bytes).ok()?.lines();
        let mut head = lines.next()?.strip_prefix(FORM)?.split_ascii_whitespace();
        let timeline = head.next()?.parse().ok()?;
        let began = Lsn(head.next()?.parse().ok()?);
        let mut number = || head.next()?.parse().ok();
        let mut witness =
            Self { timeline, began, publication: (number()?, number()?), tables: BTreeMap::new() };
        for line in lines {
            let (numbers, name) = line.split_once('\t')?;
            witness.tables.insert(name.to_owned(), Seen::from_text(numbers)?);
        }
        Some(witness)
    }
}

/// What the bytes begin with.
const FORM: &str = "postgres-1";

/// What the number of a kind begins with.
const SINCE: &str = "since-";

impl Seen {
    fn missed(&self, now: &Seen, emptied: &dyn Fn(u32) -> bool) -> Option<&'static str> {
        if !self.followed {
            return Some("the table was not followed for a while");
        }
        if self.oid != now.oid {
            return Some("the table was made anew");
        }
        if self.published != now.published {
            return Some("the table was taken out of the publication for a while");
        }
        for (oid, leaf) in &self.leaves {
            match now.leaves.get(oid) {
                None => return Some("a partition was dropped or detached"),
                Some(now) if now.attached != leaf.attached => {
                    return Some("a partition was detached for a while");
                }
                Some(now) if now.file != leaf.file && !emptied(now.changed_by) => {
                    return Some("a partition was emptied or written anew");
                }
                Some(_) => {}
            }
        }
        let mut new = now.leaves.iter().filter(|(oid, _)| !self.leaves.contains_key(oid));
        new.any(|(_, leaf)| !leaf.is_born).then_some("a table with rows of its own was attached")
    }

    fn from_text(numbers: &str) -> Option<Self> {
        let mut words = numbers.split_ascii_whitespace().peekable();
        let mut number = || words.next()?.parse().ok();
        let (oid, published, followed): (u32, u32, u32) = (number()?, number()?, number()?);
        let since = match words.next_if(|word| word.starts_with(SINCE)) {
            Some(word) => Some(word.strip_prefix(SINCE)?.parse().ok()?),
            None => None,
        };
        let leaf = |word: &str| {
            let mut numbers = word.split(':').map(|number| number.parse().ok());
            let mut number = || numbers.next()?;
            let oid = number()?;
            Some((
                oid,
                Leaf { file: number()?, attached: number()?, changed_by: 0, is_born: false },
            ))
        };
        let leaves = words.map(leaf).collect::<Option<_>>()?;
        Some(Self { oid, published, followed: followed != 0, leaves, since })
    }
}

#[cfg(test)]
mod tests {
    use super::{Leaf, Lsn, Seen, Witness};

    fn seen(leaves: &[(u32, u32, bool)]) -> Seen {
        let leaf = |&(oid, file, is_born): &(u32, u32, bool)| {
            (oid, Leaf { file, attached: 5, changed_by: 0, is_born })
        };
        let leaves = leaves.iter().map(leaf).collect();
        Seen { oid: 7, published: 9, followed: true, leaves, since: None }
    }

    fn witness(seen: Seen) -> Witness {
        let tables = [("public.questions".to_owned(), seen)].into();
        Witness { timeline: 1, began: Lsn(5), publication: (3, 740), tables }
    }

    #[test]
    fn since_when_a_kind_is_told_of_is_kept_as_long_as_it_is_followed() {
        let kind = Seen { since: Some(1 << 40), ..seen(&[]) };
        let mut before = witness(seen(&[(20, 21, false)]));
        before.tables.insert("it's a kind".to_owned(), kind);
        let kept = Witness::from_bytes(&before.to_bytes()).unwrap();
        assert_eq!(kept.kinds().collect::<Vec<_>>(), [("it's a kind", 1 << 40)]);
        assert_eq!(kept.since("public.questions"), None);
        let without = witness(seen(&[(20, 21, false)])).with_those_before(&kept);
        assert_eq!(without.since("it's a kind"), None);
        let missed = without.missed(&before, &|_, _| false).unwrap();
        assert_eq!(missed, "it's a kind: the table was not followed for a while");
    }

    #[test]
    fn what_is_kept_is_what_was_seen() {
        let before = witness(seen(&[(20, 21, false), (30, 31, false)]));
        assert_eq!(Witness::from_bytes(&before.to_bytes()), Some(before));
        for other in [
            "",
            "postgres-2 1 9 2 3\n",
            "postgres-1 1 9 2\n",
            "postgres-1 1 9 2 3\nx\tt\n",
            "\u{0}",
        ] {
            assert_eq!(Witness::from_bytes(other.as_bytes()), None, "{other:?}");
        }
    }

    #[test]
    fn a_partition_that_came_empty_is_no_gap_and_every_other_is() {
        let before = witness(seen(&[(20, 21, false)]));
        let missed = |now: Seen| before.missed(&witness(now), &|_, _| false);
        assert_eq!(missed(seen(&[(20, 21, false)])), None);
        assert_eq!(missed(seen(&[(20, 21, false), (30, 31, true)])), None);
        let mut again = seen(&[(20, 21, false)]);
        again.leaves.values_mut().for_each(|leaf| leaf.attached = 6);
        for now in [
            again,
            seen(&[(20, 21, false), (30, 31, false)]),
            seen(&[(20, 22, false)]),
            seen(&[]),
            Seen { oid: 8, ..seen(&[(20, 21, false)]) },
            Seen { published: 10, ..seen(&[(20, 21, false)]) },
        ] {
            assert!(missed(now.clone()).is_some(), "{now:?}");
        }
        let emptied = witness(seen(&[(20, 22, false)]));
        assert_eq!(before.missed(&emptied, &|_, _| true), None, "the stream says so");
    }

    #[test]
    fn a_table_that_was_left_out_for_a_while_has_a_gap_and_a_new_one_has_none() {
        let before = witness(seen(&[]));
        let mut other = before.clone();
        other.tables = [("public.answers".to_owned(), seen(&[]))].into();
        assert_eq!(before.missed(&other, &|_, _| false), None);
        let between = other.with_those_before(&before);
        assert!(between.missed(&before, &|_, _| false).is_some());
        let changed = Witness { publication: (3, 741), ..before.clone() };
        assert!(before.missed(&changed, &|_, _| false).is_some());
    }
}
