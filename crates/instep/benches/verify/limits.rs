//! What no comparison by sums or by rows can be faster than: both servers at work at the same time,
//! and nobody who compares.

use crate::place::Place;
use crate::{ROWS, now};
use connectors::postgres::{Access, Session};
use std::process::{Command, Stdio};
use std::thread;

/// Ids of one query.
const CHUNK: u32 = 10_000;

/// How long both servers take to make the sum of a hash of each row, chunk by chunk, in seconds.
pub(crate) fn sums(place: &Place) -> f64 {
    let began = now();
    let [source, copy] = at_once(&place.databases(), sums_of);
    assert_eq!(source, copy, "both have the same rows");
    began.elapsed().as_secs_f64()
}

/// How long both tables take when they are written nowhere, in seconds.
pub(crate) fn copies(place: &Place) -> f64 {
    let began = now();
    at_once(&place.databases(), |database| {
        let mut command = Command::new("/usr/lib/postgresql/15/bin/psql");
        command.args([database, "-c", "copy public.item to stdout (format binary)"]);
        command.stdout(Stdio::null());
        assert!(command.status().expect("psql is there").success());
    });
    began.elapsed().as_secs_f64()
}

fn at_once<T: Send>(databases: &[String; 2], work: impl Fn(&str) -> T + Sync) -> [T; 2] {
    thread::scope(|scope| {
        let running = databases.each_ref().map(|database| scope.spawn(|| work(database)));
        running.map(|it| it.join().expect("it ended well"))
    })
}

/// The answers of one server.
fn sums_of(database: &str) -> Vec<String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let access = Access::parse(database).expect("a URL");
        let session = Session::connect(&access).await.expect("a session");
        let (mut answers, mut read) = (Vec::new(), 0);
        for after in (0..ROWS).step_by(CHUNK as usize) {
            let ask = format!(
                "select count(*), sum(hashtextextended(t::text, 0)) from public.item t
                 where id > {after} and id <= {}",
                after + CHUNK
            );
            let rows = session.query(&ask).await.expect("an answer");
            let [Some(count), Some(sum)] = &rows[0][..] else { panic!("two cells: {rows:?}") };
            read += count.parse::<u32>().expect("a number");
            answers.push(sum.to_string());
        }
        assert_eq!(read, ROWS, "every row is in a sum");
        answers
    })
}
