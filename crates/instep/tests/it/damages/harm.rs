//! Harm done to a copy.

use super::cell::{Cell, Type};
use super::world::World;
use compare::Kind as Wrong;

impl World {
    /// Does some harm, if there is something to do it to.
    pub(super) async fn harm(&mut self) {
        match self.chance.below(9) {
            0 => {
                let Some(number) = self.sound() else { return };
                self.take(&self.copy, number).await;
                self.is_wrong(number, Wrong::Missing);
            }
            1 => {
                // Between the others, or behind the last.
                let number = match self.chance.below(2) {
                    0 => 4_000 + self.chance.below(4_000),
                    _ => self.chance.below(4_000),
                };
                if self.rows.contains_key(&number) || self.touched.contains(&number) {
                    return;
                }
                let values = self.schema.values(&mut self.chance);
                self.put(&self.copy, number, &values).await;
                self.is_wrong(number, Wrong::Extra);
            }
            // A row that the copy has not heard of again.
            2 => {
                let Some(number) = self.sound() else { return };
                let values = self.schema.values(&mut self.chance);
                if values == self.rows[&number] {
                    return;
                }
                self.put(&self.source, number, &values).await;
                self.is_wrong(number, Wrong::Different);
            }
            3 => self.exchange().await,
            4 => self.cancel().await,
            _ => self.spoil().await,
        }
    }

    fn is_wrong(&mut self, number: u64, kind: Wrong) {
        self.touched.push(number);
        self.wrong.insert(self.name(number), kind);
    }

    /// Two rows have each other's values.
    async fn exchange(&mut self) {
        let (Some(one), Some(other)) = (self.sound(), self.sound()) else { return };
        let (first, second) = (self.rows[&one].clone(), self.rows[&other].clone());
        if one == other || first == second {
            return;
        }
        self.put(&self.copy, one, &second).await;
        self.put(&self.copy, other, &first).await;
        self.is_wrong(one, Wrong::Different);
        self.is_wrong(other, Wrong::Different);
    }

    /// Two errors that a sum does not show.
    async fn cancel(&mut self) {
        for step in [1, -1] {
            let Some(number) = self.sound() else { return };
            let mut values = self.rows[&number].clone();
            let Some(Ok(n)) = values[0].as_deref().map(str::parse::<i64>) else { return };
            let Some(moved) = n.checked_add(step) else { return };
            values[0] = Some(moved.to_string());
            self.put(&self.copy, number, &values).await;
            self.is_wrong(number, Wrong::Different);
        }
    }

    /// One value is not what it was, by as little as can be.
    async fn spoil(&mut self) {
        let Some(number) = self.sound() else { return };
        let mut values = self.rows[&number].clone();
        let others = &self.schema.columns[self.schema.keys..];
        let place = usize::try_from(self.chance.below(others.len() as u64)).expect("it is small");
        let spoiled = spoiled(others[place].1, &values[place], self.chance.below(4));
        if spoiled == values[place] {
            return;
        }
        values[place] = spoiled;
        self.put(&self.copy, number, &values).await;
        self.is_wrong(number, Wrong::Different);
    }
}

/// A value that is easily taken for this one.
fn spoiled(of: Type, cell: &Cell, how: u64) -> Cell {
    let Some(text) = cell else {
        return match of {
            Type::Text | Type::Short => Some(String::new()),
            Type::Int | Type::Bool | Type::Number | Type::Float => Some("0".to_owned()),
            _ => None,
        };
    };
    if how == 0 {
        return None;
    }
    Some(match of {
        Type::Text | Type::Short => match how {
            1 => format!("{text} "),
            2 if text.to_uppercase() != *text => text.to_uppercase(),
            _ => format!("{text}\u{301}"),
        },
        // Digits that do not fit are cut off.
        Type::Number => format!("{text}1"),
        Type::Time => format!("{}{}+00:00", &text[..20], "000000"),
        Type::Date => format!("18{}", &text[2..]),
        Type::Bytes => format!("{text}00"),
        Type::Json => text.replace("null", "0"),
        Type::Bool => if text == "1" { "0" } else { "1" }.to_owned(),
        Type::Float => format!("{text}1"),
        Type::Uuid => text.replace("-4000-", "-5000-"),
        Type::Int => match text.parse::<i64>().ok().and_then(|it| it.checked_add(1)) {
            Some(next) => next.to_string(),
            None => "0".to_owned(),
        },
    })
}
