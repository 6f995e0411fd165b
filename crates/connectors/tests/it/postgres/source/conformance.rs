//! The suite of the port.

use super::super::hand::{Hand, questions, with_questions};
use super::rig::followed;
use async_trait::async_trait;
use instep_connectors::postgres::Session;
use model::Change;
use std::sync::Arc;
use testkit::conformance::source;

#[tokio::test(flavor = "multi_thread")]
async fn a_database_keeps_the_promises_of_a_source() {
    if testkit::postgres::shared().is_none() {
        return;
    }
    source::suite(async || {
        let database = with_questions().await;
        let service = Arc::new(followed(&database, &["public.questions"]));
        source::Subject {
            service,
            table: questions(&database).await,
            hand: Box::new(Dropping(Hand(database))),
            tells_unchanged: false,
            tells: source::Tells::EachChange,
        }
    })
    .await;
}

/// Has the server forget by dropping the slot.
struct Dropping(Hand);

#[async_trait]
impl source::Hand for Dropping {
    async fn transact(&self, changes: Vec<Change>) {
        self.0.write(changes, "commit").await;
    }

    async fn roll_back(&self, changes: Vec<Change>) {
        self.0.write(changes, "rollback").await;
    }

    async fn forget_all(&self) -> bool {
        let session = Session::connect(&self.0.0.access).await.expect("a session");
        let drop = "select pg_terminate_backend(active_pid) from pg_replication_slots \
                    where database = current_database() and active_pid is not null";
        session.query(drop).await.expect("it works");
        let drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots \
                    where database = current_database()";
        while session.query(drop).await.is_err() {
            tokio::task::yield_now().await;
        }
        true
    }
}
