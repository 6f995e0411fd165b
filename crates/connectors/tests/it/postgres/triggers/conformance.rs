//! The suites of the ports.

use super::super::hand::{Hand, questions, with_questions};
use async_trait::async_trait;
use instep_connectors::postgres::{PostgresRows, PostgresTriggers, SourceLimits};
use model::{Change, Row, Service, Source};
use std::sync::Arc;
use testkit::conformance::rows::insert;
use testkit::conformance::{inspect, source};

const FOLLOWER: &str = "test";

fn followed(hand: &Hand) -> PostgresTriggers {
    let tables = vec!["public.questions".into()];
    PostgresTriggers::new(hand.0.access.clone(), tables, FOLLOWER, SourceLimits::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_changes_keep_the_promises_of_a_source() {
    if testkit::postgres::shared().is_none() {
        return;
    }
    source::suite(async || {
        let hand = Hand(with_questions().await);
        source::Subject {
            service: Arc::new(followed(&hand)),
            table: questions(&hand.0).await,
            hand: Box::new(Clearing(hand)),
            tells_unchanged: false,
            tells: source::Tells::RowsAsTheyAre,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_beside_recorded_changes_keep_the_promises_of_inspection() {
    if testkit::postgres::shared().is_none() {
        return;
    }
    inspect::suite(async || {
        let hand = Hand(with_questions().await);
        let filled: Vec<Row> = inspect::filled();
        let table = questions(&hand.0).await;
        hand.write(filled.into_iter().map(|row| insert(&table, row)).collect(), "commit").await;
        let mut source = Service::<dyn Source>::connect(&followed(&hand)).await.unwrap();
        source.start(None).await.unwrap();
        let service = PostgresRows::new(hand.0.access.clone()).recorded_for(FOLLOWER);
        inspect::Subject { service: Arc::new(service), table, is_source: true }
    })
    .await;
}

/// Has the server forget by taking away what is noted.
struct Clearing(Hand);

#[async_trait]
impl source::Hand for Clearing {
    async fn transact(&self, changes: Vec<Change>) {
        self.0.write(changes, "commit").await;
    }

    async fn roll_back(&self, changes: Vec<Change>) {
        self.0.write(changes, "rollback").await;
    }

    async fn forget_all(&self) -> bool {
        self.0.0.run("delete from instep_test.readings; delete from instep_test.changes").await;
        true
    }
}
