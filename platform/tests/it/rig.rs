//! A platform in a folder of its own, and what its files say.

use instep_platform::{Addresses, Caller, Mode, Network, Platform};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use tempfile::TempDir;

/// Numbers by topic.
pub(crate) type Numbers = BTreeMap<String, i64>;

/// A platform that runs.
pub(crate) struct Rig {
    pub(crate) platform: Platform,
    pub(crate) questions: Caller,
    pub(crate) quiz: Caller,
    pub(crate) reporting: Caller,
    folder: TempDir,
}

impl Rig {
    /// Starts a platform whose network fails one call in so many.
    pub(crate) async fn start(mode: Mode, fails_one_in: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("platform.json");
        let listen = "127.0.0.1:0";
        let written = json!({
            "mode": mode,
            "questions": { "listen": listen, "shards": ["a.db", "b.db"], "totals": "totals.db" },
            "quiz": { "listen": listen, "store": "quiz.db" },
            "reporting": { "listen": listen, "store": "reporting.db" },
        });
        fs::write(&file, written.to_string()).unwrap();
        let addresses = Addresses::read(&file).unwrap();
        let network = Network::failing_one_in(fails_one_in);
        let platform = Platform::start(&addresses, network).await.unwrap();
        Self {
            questions: Caller::new(platform.questions),
            quiz: Caller::new(platform.quiz),
            reporting: Caller::new(platform.reporting),
            platform,
            folder,
        }
    }

    /// A file, as any program opens it.
    pub(crate) fn open(&self, name: &str) -> Connection {
        Connection::open(self.folder.path().join(name)).unwrap()
    }

    /// What the shards say themselves.
    pub(crate) fn recount(&self) -> Numbers {
        let mut sum = Numbers::new();
        for name in ["a.db", "b.db"] {
            let shard = self.open(name);
            let all = "select topic, count(*) from questions group by topic";
            let mut statement = shard.prepare(all).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            for (topic, number) in rows.map(|row: rusqlite::Result<(String, i64)>| row.unwrap()) {
                *sum.entry(topic).or_default() += number;
            }
        }
        sum
    }

    /// What each service answers: the questions', the quiz's, and reporting.
    pub(crate) async fn answers(&self) -> [Numbers; 3] {
        let all = [&self.questions, &self.quiz, &self.reporting];
        let mut answers = Vec::new();
        for service in all {
            answers.push(numbers(&service.get("/questions/count").await.unwrap()));
        }
        answers.try_into().unwrap()
    }

    /// All questions in these files.
    pub(crate) fn rows(&self, names: &[&str]) -> Vec<(i64, String, String)> {
        let mut rows = Vec::new();
        for name in names {
            let file = self.open(name);
            let mut statement = file.prepare("select id, topic, text from questions").unwrap();
            let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
            rows.extend(found.unwrap().map(Result::unwrap));
        }
        rows.sort();
        rows
    }

    /// Writes a question.
    pub(crate) async fn put(&self, id: i64, topic: &str, text: &str) -> Value {
        let body = json!({ "topic": topic, "text": text });
        self.questions.put(&format!("/questions/{id}"), &body).await.unwrap()
    }

    /// Makes so many changes of every kind, one after the other.
    pub(crate) async fn change(&self, changes: i64) {
        for change in 0..changes {
            let (id, text) = (change * 7 % 41, format!("text {}", change / 2));
            let topic = match change % 3 {
                0 => "history",
                1 => "music",
                _ => "algebra",
            };
            match change % 5 {
                4 => drop(self.questions.delete(&format!("/questions/{id}")).await.unwrap()),
                _ => drop(self.put(id, topic, &text).await),
            }
        }
    }
}

/// The numbers of an answer; those that are zero say nothing.
fn numbers(answer: &Value) -> Numbers {
    let counts = answer["counts"].as_object().unwrap().iter();
    let counts = counts.map(|(topic, number)| (topic.clone(), number.as_i64().unwrap()));
    counts.filter(|(_, number)| *number != 0).collect()
}
