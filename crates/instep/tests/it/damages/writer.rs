//! Writes to rows of the source that nothing is wrong with, and a little later to the copy.

use super::world::{TABLE, World};
use crate::rig::Chance;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

/// Writes for so long. What was written is in the copy when it has ended.
pub(super) fn write(world: &World, time: Duration) -> JoinHandle<()> {
    let (source, copy) = (world.source.clone(), world.copy.clone());
    let (schema, touched) = (world.schema.clone(), world.touched.clone());
    let mut chance = Chance::new(world.seed ^ 0x3717);
    tokio::spawn(async move {
        let began = Instant::now();
        let mut late: Vec<String> = Vec::new();
        while began.elapsed() < time {
            let number = chance.below(8_000);
            if touched.contains(&number) {
                continue;
            }
            let key = schema.key(number);
            let statement = |kind, chance: &mut Chance, values: &mut Option<_>| {
                let values = values.get_or_insert_with(|| schema.values(chance));
                schema.put(TABLE, &key, values, kind)
            };
            let (of_source, of_copy) = if chance.below(3) == 0 {
                (schema.take(TABLE, &key, source.kind()), schema.take(TABLE, &key, copy.kind()))
            } else {
                let mut values = None;
                let of_source = statement(source.kind(), &mut chance, &mut values);
                (of_source, statement(copy.kind(), &mut chance, &mut values))
            };
            source.run(&of_source).await;
            late.push(of_copy);
            // The copy follows some writes behind.
            if late.len() > 5 {
                copy.run(&late.remove(0)).await;
            }
            sleep(Duration::from_millis(2)).await;
        }
        for statement in late {
            copy.run(&statement).await;
        }
    })
}
