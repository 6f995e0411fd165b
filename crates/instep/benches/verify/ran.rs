//! A program that was run: how long it took, and what it needed.

use crate::now;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::process::Command;
use std::time::Duration;

/// What a program needed, and what it said.
pub(crate) struct Ran {
    pub(crate) seconds: f64,
    /// Its own, in seconds.
    pub(crate) cpu: f64,
    /// The most memory that it had, in MiB.
    pub(crate) peak: f64,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// How often its memory is looked at. What is known of it only grows.
const GLANCE: Duration = Duration::from_millis(2);

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Ran {
    let [out, err] = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
    let said = |file: &File| file.try_clone().expect("the same file");
    command.stdout(said(&out)).stderr(said(&err));
    let (cpu_before, began) = (cpu_of_ended(), now());
    let mut child = command.spawn().expect("the program is there");
    let mut peak = 0.0;
    let ended = loop {
        if let Some(ended) = child.try_wait().expect("its end") {
            break ended;
        }
        peak = peak_of(child.id()).unwrap_or(peak);
        std::thread::park_timeout(GLANCE);
    };
    let seconds = began.elapsed().as_secs_f64();
    let cpu = cpu_of_ended() - cpu_before;
    Ran { seconds, cpu, peak, code: ended.code(), out: text(out), err: text(err) }
}

/// None of one that is about to end.
fn peak_of(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = peak.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The CPU of all programs that this one has run, in seconds.
fn cpu_of_ended() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux says so");
    let fields: Vec<_> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) / 100.0
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.rewind().expect("a file of ours");
    file.read_to_string(&mut text).expect("words");
    text
}
