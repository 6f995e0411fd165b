//! What is written is read back; anything else is no head, and never a panic.

use super::*;
use model::{Cell, Epoch, Incarnation, Position, Value};
use proptest::prelude::*;

#[test]
fn an_entry_stands_within_its_place_and_says_what_it_is_of() {
    let (key, group) = (Key::new([Value::Int(7), Value::from("x")]), Group::new([Value::Null]));
    assert!(unsure_key(3, &key).starts_with(&unsure_in(3)));
    assert_eq!(key_of(&unsure_key(3, &key)).expect("a key"), key);
    assert!(number_key(3, &group).starts_with(&numbers_in(3)));
    assert_eq!(group_of(&number_key(3, &group)).expect("a group"), group);
    let all = all_in(3);
    for entry in [memo_key(&key), unsure_key(3, &key), number_key(3, &group)] {
        assert_eq!(all.iter().filter(|prefix| entry.starts_with(prefix)).count(), 1);
        assert!(!all_in(4).iter().any(|prefix| entry.starts_with(prefix)));
    }
    assert!(!all.iter().any(|prefix| head_key().starts_with(prefix)));
}

fn memo_key(key: &Key) -> Bytes {
    let mut slab = Slab::default();
    slab.put_memo_key(3, key);
    slab.pieces().next().expect("a key")
}

#[test]
fn memos_and_numbers_are_read_back() {
    let cells = vec![Cell::from(1), Cell::from("body"), Cell::Value(Value::Null), Cell::Missing];
    let before = Memo { offset: at(7), cells };
    let mut slab = Slab::default();
    slab.put_memo_key(3, &Key::new([Value::Int(7)]));
    slab.put_memo(&before);
    let pieces: Vec<_> = slab.pieces().collect();
    assert_eq!(pieces[0], memo_key(&Key::new([Value::Int(7)])));
    assert_eq!(memo(&pieces[1]).expect("a memo"), before);
    assert_eq!(number(&number_bytes(-5, &at(9))).expect("a number"), (-5, at(9)));
}

#[test]
fn a_head_begun_in_place_of_another_gives_no_place_out_twice() {
    let mut before = Head::new(at(1), "one".into(), None);
    let places: Vec<_> = (0..3).map(|_| before.new_place()).collect();
    before.tables.insert("t".into(), TableHead { place: places[0], pass: Pass::Done });
    before.counts.insert("c".into(), places[1]);
    before.garbage.push(places[2]);
    let mut anew = Head::new(at(9), "two".into(), Some(&before));
    anew.garbage.sort_unstable();
    assert_eq!(anew.garbage, places, "all of it is to be cleared");
    assert!(!places.contains(&anew.new_place()));
}

proptest! {
    #[test]
    fn a_head_is_read_back(before in any_head()) {
        prop_assert_eq!(head(&head_bytes(&before)), Some(before));
    }

    #[test]
    fn a_head_cut_short_is_none(before in any_head(), cut in any::<prop::sample::Index>()) {
        let bytes = head_bytes(&before);
        prop_assert_eq!(head(&bytes[..cut.index(bytes.len())]), None);
    }

    #[test]
    fn flipped_bytes_never_panic(
        before in any_head(),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut bytes = head_bytes(&before).to_vec();
        let index = at.index(bytes.len());
        bytes[index] ^= flip;
        let _ = head(&bytes);
    }

    #[test]
    fn any_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (head(&bytes), memo(&bytes), number(&bytes), key_of(&bytes), group_of(&bytes));
    }
}

fn any_head() -> impl Strategy<Value = Head> {
    let tables = prop::collection::btree_map("[a-z]{0,9}", (any::<u32>(), any_pass()), 0..4);
    let counts = prop::collection::btree_map("[a-z]{0,9}", any::<u32>(), 0..4);
    let garbage = prop::collection::vec(any::<u32>(), 0..4);
    (any_offset(), any_offset(), ".{0,20}", any::<u32>(), tables, counts, garbage).prop_map(
        |(offset, began, definition, next_place, tables, counts, garbage)| {
            let table = |(name, (place, pass)): (String, _)| {
                (name.as_str().into(), TableHead { place, pass })
            };
            let count = |(name, place): (String, _)| (name.as_str().into(), place);
            let tables = tables.into_iter().map(table).collect();
            let counts = counts.into_iter().map(count).collect();
            Head { offset, began, definition, next_place, tables, counts, garbage }
        },
    )
}

fn any_pass() -> impl Strategy<Value = Pass> {
    let under = (any_offset(), proptest::option::of(any::<i64>()), any::<u64>());
    prop_oneof![
        Just(Pass::Done),
        under.prop_map(|(began, upto, deleted)| {
            let upto = upto.map(|id| Key::new([Value::Int(id)]));
            Pass::Under { purpose: Purpose::Fill, began, upto, deleted }
        }),
    ]
}

fn any_offset() -> impl Strategy<Value = Offset> {
    let parts =
        (any::<u32>(), prop::collection::vec(any::<u8>(), 0..9), any::<u64>(), any::<u64>());
    parts.prop_map(|(incarnation, position, epoch, ordinal)| Offset {
        incarnation: Incarnation(incarnation),
        position: Position::new(position),
        epoch: Epoch(epoch),
        ordinal,
    })
}

fn at(number: u64) -> Offset {
    Offset::whole(Incarnation(1), Position::from_number(number))
}
