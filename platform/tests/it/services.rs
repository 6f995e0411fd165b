//! What the services promise, and what they can not promise where they write twice.

use crate::rig::Rig;
use instep_platform::Mode;
use serde_json::json;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

#[tokio::test]
async fn legacy_stays_equal_while_nothing_fails_and_nobody_writes_at_once() {
    let rig = Rig::start(Mode::Legacy, 0).await;
    for _ in 0..3 {
        rig.change(120).await;
        let recount = rig.recount();
        assert!(recount.len() == 3 && recount.values().all(|number| *number > 0));
        assert_eq!(rig.answers().await, [recount.clone(), recount.clone(), recount]);
        assert_eq!(rig.rows(&["quiz.db"]), rig.rows(&["a.db", "b.db"]));
    }
    assert_eq!(rig.platform.network().failed(), 0);
    rig.platform.stop().await;
}

#[tokio::test]
async fn legacy_differs_once_second_writes_fail() {
    let rig = Rig::start(Mode::Legacy, 4).await;
    rig.change(200).await;
    let (recount, [_, quiz, reporting]) = (rig.recount(), rig.answers().await);
    assert_ne!(quiz, recount);
    assert_ne!(reporting, recount);
    assert_ne!(rig.rows(&["quiz.db"]), rig.rows(&["a.db", "b.db"]));
    assert!(rig.platform.network().failed() > 0);
    // What was lost stays lost, although nothing fails any more.
    rig.platform.network().fail_one_in(0);
    rig.put(1_000, "music", "one more").await;
    assert_ne!(rig.answers().await[2], rig.recount());
    rig.platform.stop().await;
}

#[tokio::test]
async fn a_store_that_takes_no_writes_fails_second_writes_and_goes_on_answering() {
    let rig = Rig::start(Mode::Legacy, 0).await;
    rig.put(1, "music", "one").await;
    let holder = rig.open("reporting.db");
    holder.execute_batch("begin immediate").unwrap();
    rig.put(2, "music", "two").await;
    let asked = rig.reporting.get("/questions/count?topic=music").await.unwrap();
    assert_eq!(asked, json!({ "topic": "music", "count": 1 }));
    assert_eq!(rig.recount()["music"], 2);
    assert_eq!(rig.platform.network().failed(), 1);
    holder.execute_batch("rollback").unwrap();
    rig.platform.stop().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_second_writes_undone() {
    let rig = Rig::start(Mode::Legacy, 0).await;
    let until = Instant::now() + Duration::from_secs(60);
    for id in 1.. {
        let body = json!({ "topic": "music", "text": "hung up" }).to_string();
        let head = format!("PUT /questions/{id} HTTP/1.1\r\nhost: questions\r\n");
        let kind = format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
        let mut stream = TcpStream::connect(rig.platform.questions).await.unwrap();
        stream.write_all(format!("{head}{kind}\r\n{body}").as_bytes()).await.unwrap();
        drop(stream);
        sleep(Duration::from_millis(20)).await;
        if rig.rows(&["a.db", "b.db"]).len() > rig.rows(&["quiz.db"]).len() {
            break;
        }
        assert!(Instant::now() < until, "every second write is done");
    }
    rig.platform.stop().await;
}

#[tokio::test]
async fn a_followed_platform_answers_from_what_is_pushed_into_its_stores() {
    let rig = Rig::start(Mode::Followed, 0).await;
    rig.put(1, "music", "one").await;
    let early = rig.reporting.get("/questions/count?topic=music").await.unwrap_err();
    assert!(early.to_string().contains("no count has come yet"), "{early}");
    for name in ["reporting.db", "totals.db"] {
        rig.open(name)
            .execute_batch(
                "create table question_counts (count text, topic text, value bigint);
                 insert into question_counts values ('questions', 'music', 17), ('else', 'music', 4)",
            )
            .unwrap();
    }
    let copy = "create table questions (id integer primary key, topic text, text text, shard text);
                insert into questions values (4, 'music', 'four', 'a')";
    rig.open("quiz.db").execute_batch(copy).unwrap();
    let seventeen = json!({ "topic": "music", "count": 17 });
    for service in [&rig.reporting, &rig.questions] {
        let asked = service.get("/questions/count?topic=music").await.unwrap();
        assert_eq!(asked, seventeen);
        let none = service.get("/questions/count?topic=none").await.unwrap();
        assert_eq!(none["count"], 0);
    }
    let quiz = rig.quiz.get("/quizzes/music").await.unwrap();
    assert_eq!(quiz["questions"], json!([{ "id": 4, "text": "four" }]));
    // Nobody here writes a copy: the routes for it are not there.
    assert!(rig.quiz.put("/copies/1", &json!({})).await.is_err());
    assert!(rig.reporting.post("/counters/music", &json!({ "by": 1 })).await.is_err());
    rig.platform.stop().await;
}

#[tokio::test]
async fn writing_what_stands_and_deleting_what_is_gone_change_nothing() {
    let rig = Rig::start(Mode::Legacy, 0).await;
    assert_eq!(rig.put(5, "music", "five").await["changed"], true);
    assert_eq!(rig.put(5, "music", "five").await["changed"], false);
    let read = rig.questions.get("/questions/5").await.unwrap();
    assert_eq!(read, json!({ "topic": "music", "text": "five" }));
    assert_eq!(rig.questions.delete("/questions/5").await.unwrap()["changed"], true);
    assert_eq!(rig.questions.delete("/questions/5").await.unwrap()["changed"], false);
    assert!(rig.questions.get("/questions/5").await.unwrap().is_null());
    assert_eq!(rig.recount(), rig.answers().await[2]);
    rig.platform.stop().await;
}
