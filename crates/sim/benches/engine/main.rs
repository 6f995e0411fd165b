//! Bench: the engine from end to end, with the journal on a real disk.
//!
//! Choose with `-- copies`, `-- counts` or `-- counts <rows>`; without that all of them run.

#![expect(clippy::disallowed_methods, reason = "a bench measures with the clock on the wall")]
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

mod copies;
mod counts;
mod place;
mod spring;

use tokio::runtime::{Builder, Runtime};

fn main() {
    // Cargo hands over `--bench`, which says nothing here.
    let words: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => {
            copies::run(&runtime());
            println!();
            counts::run_each();
        }
        ["copies"] => copies::run(&runtime()),
        ["counts"] => counts::run_each(),
        ["counts", rows] => {
            counts::run(&runtime(), rows.parse().expect("how many rows, as a number"));
        }
        _ => panic!("choose with: copies, counts, counts <rows>"),
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}
