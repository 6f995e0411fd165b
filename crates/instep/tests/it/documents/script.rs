//! Runs a page: its blocks in order, each with what it has to say.

use super::page::{Page, Use};
use super::pattern::matches;
use super::server;
use super::session::{Ran, Session};
use crate::rig;
use clap::CommandFactory;
use instep::cli::Cli;
use tokio::runtime::Builder;

/// Commands that change nothing, so that they can be typed again.
const QUESTIONS: [&str; 16] = [
    "instep status",
    "instep counts",
    "instep failures list",
    "instep failures show",
    "instep source list",
    "instep config ",
    "instep explain ",
    "instep doctor",
    "instep verify",
    "curl -s 'http://",
    "curl -s http://",
    "sqlite3 -header ",
    "sqlite3 ",
    "psql -qAt quiz -c \"select count",
    "psql -qAt reports -c \"select ",
    "echo ",
];

/// Words with which `sqlite3` would do more than ask.
const STATEMENTS: [&str; 7] = ["insert", "update", "delete", "create", "drop", "alter", "begin"];

/// Runs a page, after the one that it goes on from.
pub(super) fn run(path: &str) {
    let page = Page::read(path);
    let before = page.goes_on_from().map(|before| Page::read(&before));
    let texts: Vec<_> = before.iter().chain([&page]).map(|page| page.text.as_str()).collect();
    let Ok(server) = server::of(&texts) else { return };
    let mut session = Session::new(server.as_ref());
    before.iter().for_each(|before| play(before, &mut session));
    play(&page, &mut session);
}

fn play(page: &Page, session: &mut Session) {
    for (at, block) in page.blocks.iter().enumerate() {
        let place = format!("{}:{}", page.path, block.line);
        let next = page.blocks.get(at + 1).filter(|next| next.used() == Ok(Use::Said));
        let expected = next.map(|next| next.text.as_str());
        match block.used().unwrap_or_else(|wrong| panic!("{place}: {wrong}")) {
            Use::Run => perform(&block.text, expected, session, &place),
            Use::Statements { file } => {
                let command = format!("sqlite3 {file} <<'END'\n{}END\n", block.text);
                perform(&command, expected, session, &place);
            }
            Use::File { name } => {
                session.write(name, &block.text);
                let ran = session.ask(&format!("instep --config {name} config check"));
                assert!(ran.succeeded, "{place}: {}", session.said(&ran));
            }
            Use::Said => {
                let before = at.checked_sub(1).map(|before| page.blocks[before].used());
                let is_said = matches!(before, Some(Ok(Use::Run | Use::Statements { .. })));
                assert!(is_said, "{place}: no command stands before what is said");
            }
            Use::Built => check_built(&block.text, &place),
            Use::Ignored { .. } | Use::Picture => {}
        }
    }
}

/// Runs commands, and sees that they say what they have to, if not at once then soon.
fn perform(commands: &str, expected: Option<&str>, session: &mut Session, place: &str) {
    let fits = |session: &Session, ran: &Ran| {
        expected.is_none_or(|expected| matches(expected, &session.said(ran)))
    };
    let asks = is_question(commands);
    let mut ran = if asks { session.ask(commands) } else { session.run(commands) };
    assert!(asks || ran.succeeded, "{place}: it fails and says\n{}", session.said(&ran));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let holds = runtime.block_on(rig::until(place, || {
        let holds = ran.succeeded && fits(session, &ran);
        if !holds && asks {
            ran = session.ask(commands);
        }
        holds
    }));
    let (said, logs) = (session.said(&ran), session.logs());
    let expected = expected.unwrap_or_default();
    assert!(holds, "{place}: it says\n{said}\ninstead of\n{expected}\nand logs\n{logs}");
}

fn is_question(commands: &str) -> bool {
    let mut lines =
        commands.lines().filter(|line| !line.starts_with([' ', '#']) && !line.is_empty());
    let asks = |line: &str| QUESTIONS.iter().any(|question| line.starts_with(question));
    let lower = commands.to_lowercase();
    let writes = lower.split(|it: char| !it.is_alphanumeric()).any(|it| STATEMENTS.contains(&it));
    lines.all(asks) && !(commands.contains("sqlite3") && writes) && !commands.contains('>')
}

/// What is not run here has to exist at least.
fn check_built(commands: &str, place: &str) {
    for line in commands.lines() {
        if let Some((_, typed)) = line.split_once(" -- ").filter(|_| line.starts_with("cargo run"))
        {
            let word = typed.split_whitespace().next().unwrap_or_default();
            let is_known = word.starts_with("--") || Cli::command().find_subcommand(word).is_some();
            assert!(is_known, "{place}: there is no command {word}");
        }
        if let Some(word) = line.strip_prefix("cargo xtask ") {
            let word = word.split_whitespace().next().unwrap_or_default();
            let manual = std::fs::read_to_string(super::page::root().join("xtask/src/cli.rs"));
            let (first, rest) = word.split_at(1);
            let variant = format!("    {}{rest}", first.to_uppercase());
            assert!(manual.unwrap().contains(&variant), "{place}: no cargo xtask {word}");
        }
    }
}
