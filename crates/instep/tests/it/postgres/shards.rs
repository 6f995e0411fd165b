//! One source in two databases, followed by the log and by triggers: each row knows whose it is, and
//! a count is the sum of both.

use crate::rig::{Rig, until};
use testkit::postgres::{Server, shared};

const TABLE: &str = "create table question (id bigint primary key, topic int not null)";

fn config(server: &Server, databases: &[String; 2], capture: &str) -> String {
    let [a, b] = databases.each_ref().map(|database| server.url(database));
    format!(
        "
services:
  a: {{ postgres: \"{a}\" }}
  b: {{ postgres: \"{b}\" }}
  target: {{ sqlite: target.db }}
sources:
  quiz: {{ from: [a, b], tables: [public.question], capture: {capture} }}
copies:
  questions: {{ of: quiz/public.question, to: target/question, create: true, shard_column: shard }}
counts:
  questions: {{ of: quiz/public.question, by: [topic], to: [target/counted] }}
"
    )
}

async fn follows(capture: &str) {
    let Some(server) = shared() else { return };
    let databases = [server.database(), server.database()];
    for (database, first) in databases.iter().zip([1, 1_001]) {
        let fill = format!(
            "insert into question select n, n % 2 from generate_series({first}, {first} + 99) n"
        );
        server.sql(database, &format!("{TABLE}; {fill}"));
    }
    let rig = Rig::new(&config(server, &databases, capture), &[]);
    let running = rig.run().await;
    let is = async |rows: &[&str], counts: &[&str]| {
        let found = || {
            let per_shard = "select shard, count(*) from question group by shard order by shard";
            let counted = "select topic, value from counted order by topic";
            (rig.ask("target.db", per_shard), rig.ask("target.db", counted))
        };
        let owned =
            |lines: &[&str]| Some(lines.iter().map(|&it| it.to_owned()).collect::<Vec<_>>());
        let wanted = (owned(rows), owned(counts));
        let is = until("copy and count have both shards", || found() == wanted).await;
        assert!(is, "{capture}: {:?} is not {wanted:?}\n{}", found(), rig.log());
    };
    is(&["'quiz/a'|100", "'quiz/b'|100"], &["0|100", "1|100"]).await;
    // A row goes from one shard to the other, and one shard is emptied of a topic.
    server.sql(&databases[0], "delete from question where id = 1");
    server.sql(
        &databases[1],
        "insert into question values (1, 1); delete from question where topic = 0",
    );
    is(&["'quiz/a'|99", "'quiz/b'|51"], &["0|50", "1|100"]).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_are_one_source_by_their_logs() {
    follows("log").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_databases_are_one_source_by_triggers() {
    follows("triggers").await;
}
