//! A source that tells where it stands only when it is asked, while others keep it moving.

use crate::rig::Rig;
use async_trait::async_trait;
use model::{
    Answer, Digest, Fault, Inspect, Position, Resume, Rows, Seed, Selection, Service, Source,
    Started, Step, Table, TableName,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use testkit::memory::database::Database;
use tokio::select;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// Each stretch stands behind what the lane has come to, and waits for a word of the source.
#[tokio::test(start_paused = true)]
async fn a_pass_over_a_source_that_others_keep_busy_does_not_wait_a_second_for_each_stretch() {
    let mut rig = Rig::new(1);
    rig.limits.ask_rows_max = 1;
    rig.limits.asks_max = 1;
    rig.insert(0..30);
    let (mut pipeline, _) = rig.pipeline();
    let marks = Arc::new(AtomicU64::new(0));
    pipeline.source = Arc::new(Reticent { inner: pipeline.source, marks: Arc::clone(&marks) });
    pipeline.inspect = Arc::new(Busy { inner: pipeline.inspect, database: rig.database.clone() });
    let began = Instant::now();
    let work = tokio::spawn(pipeline.run(instep_engine::Stop::new()));
    rig.in_step(0).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(marks.load(Ordering::Relaxed) >= 20, "the source was asked");
    // Nobody waits any more: it is left alone, but for the looks at what sessions see.
    sleep(Duration::from_secs(10)).await;
    let before = marks.load(Ordering::Relaxed);
    sleep(Duration::from_secs(100)).await;
    assert_eq!(marks.load(Ordering::Relaxed), before);
    work.abort();
}

/// The memory database writes markers for as long as it is asked, and at most one a second.
#[tokio::test(start_paused = true)]
async fn an_idle_database_writes_at_most_one_marker_a_second() {
    let rig = Rig::new(1);
    let source = Service::<dyn Source>::connect(&rig.database).await.unwrap();
    let begun = rig.database.end();
    let mut ends = vec![begun];
    for _ in 0..250 {
        source.mark();
        let end = rig.database.end();
        if ends.last() != Some(&end) {
            ends.push(end);
        }
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(ends.len() - 1, 3, "at once, and after each of two seconds");
}

struct Reticent {
    inner: Arc<dyn Service<dyn Source>>,
    marks: Arc<AtomicU64>,
}

#[async_trait]
impl Service<dyn Source> for Reticent {
    async fn connect(&self) -> Result<Box<dyn Source>, Fault> {
        let (inner, marks) = (self.inner.connect().await?, Arc::clone(&self.marks));
        Ok(Box::new(Session { inner, marks, asked: Notify::new(), held: None }))
    }
}

/// Keeps to itself where it stands until it is asked.
struct Session {
    inner: Box<dyn Source>,
    marks: Arc<AtomicU64>,
    asked: Notify,
    held: Option<Step>,
}

#[async_trait]
impl Source for Session {
    async fn start(&mut self, after: Option<&Resume>) -> Result<Started, Fault> {
        self.inner.start(after).await
    }

    async fn next(&mut self) -> Result<Step, Fault> {
        loop {
            select! {
                biased;
                step = self.inner.next() => match step? {
                    step @ Step::Progress { .. } => self.held = Some(step),
                    step => return Ok(step),
                },
                () = self.asked.notified(), if self.held.is_some() => {
                    if let Some(step) = self.held.take() {
                        return Ok(step);
                    }
                }
            }
        }
    }

    fn confirm(&self, position: &Position) {
        self.inner.confirm(position);
    }

    fn mark(&self) {
        self.marks.fetch_add(1, Ordering::Relaxed);
        self.asked.notify_one();
    }
}

/// Others do something just before each reading.
struct Busy {
    inner: Arc<dyn Service<dyn Inspect>>,
    database: Database,
}

#[async_trait]
impl Service<dyn Inspect> for Busy {
    async fn connect(&self) -> Result<Box<dyn Inspect>, Fault> {
        let (inner, database) = (self.inner.connect().await?, self.database.clone());
        Ok(Box::new(BusySession { inner, database }))
    }
}

struct BusySession {
    inner: Box<dyn Inspect>,
    database: Database,
}

#[async_trait]
impl Inspect for BusySession {
    async fn table(&mut self, name: &TableName) -> Result<Option<Arc<Table>>, Fault> {
        self.inner.table(name).await
    }

    async fn rows(
        &mut self,
        table: &Arc<Table>,
        selection: &Selection,
        rows_max: usize,
    ) -> Result<Answer<Rows>, Fault> {
        self.database.pass();
        self.inner.rows(table, selection, rows_max).await
    }

    async fn digests(
        &mut self,
        table: &Arc<Table>,
        selections: &[Selection],
        seed: Seed,
    ) -> Result<Answer<Vec<Digest>>, Fault> {
        self.inner.digests(table, selections, seed).await
    }
}
