//! What is wrong is found, all of it, and nothing else, wherever it is.

use crate::world::World;
use instep_compare::{Kind as Wrong, Outcome, Terms};
use model::{Cell, Value};

impl World {
    /// Does some harm to the copy. None if there is nothing to harm.
    pub(crate) fn damage(&mut self) -> Option<()> {
        match self.chance.below(6) {
            0 => {
                let key = self.sound_key()?;
                self.copy.take(&key)?;
                self.wrong.insert(key, Wrong::Missing);
            }
            1 => {
                // Between others, before the first or behind the last.
                let number = self.chance.below(5_000) + 3_000;
                let row = self.row(number);
                let key = self.key_of(&row);
                if self.source.get(&key).is_some() {
                    return None;
                }
                self.copy.put(row);
                self.wrong.insert(key, Wrong::Extra);
            }
            2 => self.change(|value, chance| match value {
                Value::Null => Value::from(""),
                Value::Text(_) if chance => Value::Null,
                Value::Text(text) => Value::from(format!("{text} ").as_str()),
                Value::Int(number) => Value::Int(number + 1),
                Value::Decimal(price) => Value::Decimal(format!("{price}1").parse().unwrap()),
                other => panic!("{other:?}"),
            })?,
            // Two errors that cancel each other out in a sum.
            3 => {
                for step in [1, -1] {
                    let key = self.sound_key()?;
                    let mut row = self.copy.get(&key)?;
                    let Cell::Value(Value::Int(topic)) = &mut row.0[2] else { return None };
                    *topic += step;
                    self.copy.put(row);
                    self.wrong.insert(key, Wrong::Different);
                }
            }
            // Values that two rows have exchanged.
            4 => {
                let (one, other) = (self.sound_key()?, self.sound_key()?);
                let (mut first, mut second) = (self.copy.get(&one)?, self.copy.get(&other)?);
                if first.0[2..] == second.0[2..] {
                    return None;
                }
                first.0[2..].swap_with_slice(&mut second.0[2..]);
                self.copy.put(first);
                self.copy.put(second);
                self.wrong.insert(one, Wrong::Different);
                self.wrong.insert(other, Wrong::Different);
            }
            // A copy that stands still: the source goes on.
            _ => {
                let key = self.sound_key()?;
                let mut row = self.source.get(&key)?;
                row.0[3] = Cell::Value(Value::from("newer"));
                self.source.put(row);
                self.wrong.insert(key, Wrong::Different);
            }
        }
        Some(())
    }

    fn change(&mut self, change: impl Fn(Value, bool) -> Value) -> Option<()> {
        let key = self.sound_key()?;
        let mut row = self.copy.get(&key)?;
        let place = 2 + self.chance.below(3);
        let Cell::Value(value) = &row.0[place] else { return None };
        row.0[place] = Cell::Value(change(value.clone(), self.chance.is_one_of(50)));
        self.copy.put(row);
        self.wrong.insert(key, Wrong::Different);
        Some(())
    }
}

#[tokio::test(start_paused = true)]
async fn every_damage_is_found_and_nothing_else() {
    let mut damages = 0;
    for seed in 0..300 {
        let rows = [0, 1, 2, 40, 300, 700][usize::try_from(seed % 6).unwrap()];
        let mut world = World::new(seed, rows);
        for _ in 0..world.chance.below(6) {
            let _ = world.damage();
        }
        damages += world.wrong.len();
        let verdict = world.compare(Terms { seed, ..Terms::default() }).await;
        assert_eq!(World::found(&verdict), world.wrong, "seed {seed}");
        assert_eq!(verdict.compared, world.source.held().rows.len() as u64, "seed {seed}");
        assert_eq!((verdict.unsettled, verdict.unread.len()), (0, 0), "seed {seed}");
        let outcome = if world.wrong.is_empty() { Outcome::Equal } else { Outcome::Differences };
        assert_eq!(verdict.outcome(), outcome, "seed {seed}");
    }
    assert!(damages > 400, "{damages}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_or_a_source_that_is_empty_is_no_copy() {
    for seed in 0..8 {
        let world = World::new(seed, 500);
        world.copy.held().rows.clear();
        let terms = || Terms { seed, listed_max: 10, ..Terms::default() };
        let verdict = world.compare(terms()).await;
        assert_eq!((verdict.missing, verdict.extra, verdict.differences.len()), (500, 0, 10));
        let world = World::new(seed, 500);
        world.source.held().rows.clear();
        let verdict = world.compare(terms()).await;
        assert_eq!((verdict.missing, verdict.extra, verdict.compared), (0, 500, 0), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_columns_that_differ_are_named_with_both_values() {
    let mut world = World::new(3, 100);
    let key = world.sound_key().unwrap();
    let mut row = world.copy.get(&key).unwrap();
    row.0[3] = Cell::Value(Value::from("other"));
    row.0[4] = Cell::Value(Value::Decimal("-1.50".parse().unwrap()));
    world.copy.put(row);
    let verdict = world.compare(Terms::default()).await;
    let [difference] = &verdict.differences[..] else { panic!("{verdict:?}") };
    let names: Vec<_> = difference.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["title", "price"]);
    assert_eq!(difference.columns[0].copy, Some(Value::from("other")));
    assert_eq!(difference.columns[1].copy, Some(Value::Decimal("-1.50".parse().unwrap())));
    assert!(difference.columns.iter().all(|column| column.source.is_some()));
}
