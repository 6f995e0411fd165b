//! The pages that people read: every command in them is run as it stands there and says what they
//! say that it says; what they link to and name exists.
//!
//! A page is a script. Its blocks are run in order, in a folder of the page's own:
//!
//! - `sh`: in one bash that goes on from block to block. A `text` block after it is what it says,
//!   where `…` stands for what varies. A block that only asks is asked again until it says that.
//! - `yaml` whose first line is `# FILE`: that file, which is a whole configuration.
//! - `sql` whose first line is `-- FILE`: statements for that database.
//! - A page that speaks of the server at `127.0.0.1:5432` is given a PostgreSQL, which its `psql` asks.
//! - `sh` with `cargo` or `git`: not run; its commands have to exist.
//! - anything with `ignore: REASON`: not run. A page may begin with `Goes on from [..](..)`: then
//!   that page is run first.

mod names;
mod page;
mod pattern;
mod script;
mod server;
mod session;

use page::{Page, Use};
use std::collections::BTreeSet;

/// The pages that are run, each by a test of its own below.
const RUN: [&str; 19] = [
    "README.md",
    "docs/README.md",
    "docs/tutorial.md",
    "docs/situations.md",
    "docs/how-to/begin.md",
    "docs/how-to/example.md",
    "docs/how-to/add-a-count.md",
    "docs/how-to/add-a-copy.md",
    "docs/how-to/push-a-count.md",
    "docs/how-to/read-your-own-write.md",
    "docs/how-to/handle-failures.md",
    "docs/how-to/verify.md",
    "docs/how-to/migrate-a-table.md",
    "docs/how-to/operate.md",
    "docs/how-to/follow-postgresql.md",
    "docs/how-to/copy-to-postgresql.md",
    "docs/how-to/use-an-outbox.md",
    "docs/explanation/promises.md",
    "docs/explanation/compared.md",
];

/// Folders of which every page is run.
const FOLDERS: [&str; 2] = ["docs/how-to", "docs/explanation"];

#[test]
fn the_readme_runs_as_it_is_written() {
    script::run("README.md");
}

#[test]
fn the_tutorial_runs_as_it_is_written() {
    script::run("docs/tutorial.md");
}

#[test]
fn beginning_with_a_database_runs_as_it_is_written() {
    script::run("docs/how-to/begin.md");
}

#[test]
fn adding_a_count_runs_as_it_is_written() {
    script::run("docs/how-to/add-a-count.md");
}

#[test]
fn adding_a_copy_runs_as_it_is_written() {
    script::run("docs/how-to/add-a-copy.md");
}

#[test]
fn pushing_a_count_runs_as_it_is_written() {
    script::run("docs/how-to/push-a-count.md");
}

#[test]
fn reading_your_own_write_runs_as_it_is_written() {
    script::run("docs/how-to/read-your-own-write.md");
}

#[test]
fn handling_failures_runs_as_it_is_written() {
    script::run("docs/how-to/handle-failures.md");
}

#[test]
fn verifying_a_copy_runs_as_it_is_written() {
    script::run("docs/how-to/verify.md");
}

#[test]
fn migrating_a_table_runs_as_it_is_written() {
    script::run("docs/how-to/migrate-a-table.md");
}

#[test]
fn operating_runs_as_it_is_written() {
    script::run("docs/how-to/operate.md");
}

#[test]
fn following_postgresql_runs_as_it_is_written() {
    script::run("docs/how-to/follow-postgresql.md");
}

#[test]
fn copying_to_postgresql_runs_as_it_is_written() {
    script::run("docs/how-to/copy-to-postgresql.md");
}

#[test]
fn using_an_outbox_runs_as_it_is_written() {
    script::run("docs/how-to/use-an-outbox.md");
}

#[test]
fn pages_that_explain_run_as_they_are_written() {
    for page in ["docs/README.md", "docs/situations.md", "docs/how-to/example.md"] {
        script::run(page);
    }
    for page in RUN.iter().filter(|page| page.starts_with("docs/explanation/")) {
        script::run(page);
    }
}

#[test]
fn every_page_of_the_folders_is_run() {
    let pages = page::all();
    let found = pages.iter().map(|page| page.path.as_str());
    let found = found.filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)));
    let expected = RUN.into_iter().filter(|path| FOLDERS.iter().any(|it| path.starts_with(it)));
    assert_eq!(found.collect::<BTreeSet<_>>(), expected.collect());
}

#[test]
fn every_block_has_its_use_and_what_is_not_run_says_why() {
    let mut ignored = Vec::new();
    for path in RUN {
        let page = Page::read(path);
        for block in &page.blocks {
            match block.used() {
                Ok(Use::Ignored { reason }) => {
                    ignored.push(format!("{path}:{} {reason}", block.line));
                }
                Ok(_) => {}
                Err(wrong) => panic!("{path}:{}: {wrong}", block.line),
            }
        }
    }
    println!("blocks that are not run: {}\n{}", ignored.len(), ignored.join("\n"));
}

#[test]
fn every_link_leads_to_a_page_and_its_heading() {
    let wrong = names::dead_links(&page::all());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_command_code_and_metric_that_a_page_names_exists() {
    let pages: Vec<_> = RUN.into_iter().map(Page::read).collect();
    let wrong = names::unknown(&pages);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_figure_is_one_that_a_bench_has_printed() {
    let pages = ["README.md", "docs/explanation/compared.md"].map(Page::read);
    assert!(pages.iter().any(|page| page.text.contains(",000 rows a second")));
    let wrong = names::unmeasured(&pages);
    assert!(wrong.is_empty(), "docs/bench.md has none of\n{}", wrong.join("\n"));
}

#[test]
fn the_readme_is_short() {
    assert!(Page::read("README.md").text.lines().count() < 200);
}
