//! Which group is meant by texts that may stand for values of several kinds, as it is to be shown.
//!
//! Only for showing: numbers are told over every reading.

use super::whole::Works;
use crate::count::Group;
use crate::numbers::Numbers;
use model::{CountName, Value};
use std::mem::discriminant;

impl Works {
    /// The group that there is; else one whose values are of the kinds that other groups of the
    /// count have, or the first of their readings. None where a column has no reading.
    pub fn shown_as(&self, count: &CountName, columns: &[Vec<Value>]) -> Option<Group> {
        let lanes = self.lanes_of(count);
        if let Some(group) = lanes.iter().find_map(|it| it.first_fitting(count, columns)) {
            return Some(group);
        }
        // NULL says nothing of its column's kind, so each column asks a group of its own.
        let any = |column: usize| {
            let tells = move |group: &Group| group.values().get(column) != Some(&Value::Null);
            let told = |numbers: &&Numbers| numbers.groups_after(count, None, 1, &tells).ok();
            lanes.iter().filter_map(told).find_map(|told| told.value.into_iter().next())
        };
        let kin = |column| any(column).and_then(|group| group.values().get(column).cloned());
        likeliest(columns, &(0..columns.len()).map(kin).collect::<Vec<_>>())
    }

    fn lanes_of(&self, count: &CountName) -> Vec<&Numbers> {
        let shards = self.count(count).map_or(&[][..], |it| self.shards(it.source));
        let counting = shards.iter().filter_map(|shard| shard.pipeline.counting.as_ref());
        counting.map(|counting| &counting.numbers).collect()
    }
}

/// A value for each column, of the kind that another group has there; else the first.
fn likeliest(columns: &[Vec<Value>], kin: &[Option<Value>]) -> Option<Group> {
    let chosen = columns.iter().zip(kin).map(|(readings, kin)| {
        let is_kin = |value: &&Value| {
            kin.as_ref().is_some_and(|kin| discriminant(*value) == discriminant(kin))
        };
        readings.iter().find(is_kin).or(readings.first()).cloned()
    });
    chosen.collect::<Option<Vec<_>>>().map(Group::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_as_other_groups_have_it() {
        let seven = || vec![Value::Int(7), Value::from("7"), Value::from(7.0)];
        let group = |values: [Value; 2]| Some(Group::new(values));
        let columns = [seven(), seven()];
        let kin = [Some(Value::from("x")), Some(Value::from(1.5))];
        assert_eq!(likeliest(&columns, &kin), group([Value::from("7"), Value::from(7.0)]));
        let strange = [Some(Value::Bool(true)), None];
        assert_eq!(likeliest(&columns, &strange), group([Value::Int(7), Value::Int(7)]));
        assert_eq!(likeliest(&[seven(), vec![]], &kin), None);
        assert_eq!(likeliest(&[], &[]), Some(Group::new(Vec::<Value>::new())));
    }
}
