//! A small transaction that goes to the server in one piece, since each part would wait for the answer
//! to the one before.
//!
//! Where it has to be seen that a row was there, the commit waits for that. If anything is unusual
//! nothing of it is left, and it is done again step by step.

use super::books;
use super::prepared::{Prepared, is_unknown};
use super::sets::{Does, Set};
use super::statements::{Statement, statement};
use super::trouble::{Failure, of_server};
use super::write::Writing;
use crate::postgres::trouble::Trouble;
use futures_util::future::{join, join_all};
use model::Batch;

/// So many sets go out together.
const SETS_MAX: usize = 16;

/// So many writes are few.
pub(super) const WRITES_MAX: usize = 100;

/// Rows with more text go beside their statement, which is read twice.
const TEXTS_MAX: usize = 32 << 10;

/// What is to be done.
pub(super) struct Piece<'a> {
    /// How the transaction is to be, and its lock: a statement.
    pub(super) settings: String,
    pub(super) sets: &'a [Set],
    /// What belongs to the rows.
    pub(super) notes: String,
    pub(super) batch: &'a Batch,
}

/// A statement and its parameters.
type Plain = (String, Vec<String>);

/// What goes to the server.
struct Messages {
    begin: String,
    /// The sets by name, if all have one.
    sets: Option<String>,
    /// All that comes after the rows.
    end: String,
}

/// What came of it.
enum Done {
    Committed,
    /// Each set wrote so many rows, and nothing is committed yet.
    Written(Vec<u64>),
}

/// Begins, writes and commits; false if it is to be done step by step, and nothing is left of it.
pub(super) async fn run(
    writing: &Writing<'_>,
    prepared: &mut Prepared,
    piece: &Piece<'_>,
) -> Result<bool, Failure> {
    let Some(statements) = statements(writing, piece) else { return Ok(false) };
    let messages = messages(writing, prepared, piece, &statements).await?;
    let done = match &messages.sets {
        Some(sets) => by_name(writing, piece, &messages, sets).await,
        None => in_words(writing, piece, &messages, &statements).await,
    };
    let done = match done {
        Ok(Done::Written(rows)) if piece.is_as_meant(&rows) => {
            writing.session.query(&messages.end).await.map(|_| Done::Committed)
        }
        done => done,
    };
    match done {
        Ok(Done::Committed) => return Ok(true),
        // A row that was to be there is not.
        Ok(Done::Written(_)) => {}
        Err(trouble) if is_unknown(&trouble) => prepared.end(),
        Err(trouble) => match writing.of_commit(trouble) {
            // Which row it is comes out step by step.
            Failure::Refused(_) => {}
            fault @ Failure::Fault(_) => return Err(fault),
        },
    }
    writing.note("rollback").await?;
    Ok(false)
}

/// The statements of the sets, if they are few and none of them is unusual.
fn statements(writing: &Writing<'_>, piece: &Piece<'_>) -> Option<Vec<Plain>> {
    if piece.sets.len() > SETS_MAX {
        return None;
    }
    let plain = |set| match statement(set, &piece.batch.writes, writing.lane.as_str()) {
        Ok(Statement::Plain { sql, parameters }) => Some((sql, parameters)),
        Ok(Statement::Bulk { .. }) | Err(_) => None,
    };
    piece.sets.iter().map(plain).collect()
}

/// What goes to the server, by name as far as names are of use.
async fn messages(
    writing: &Writing<'_>,
    prepared: &mut Prepared,
    piece: &Piece<'_>,
    statements: &[Plain],
) -> Result<Messages, Failure> {
    let judge = |trouble| of_server(writing.access, trouble);
    let session = writing.session;
    let settings = prepared.by_name(session, &piece.settings, &[]).await.map_err(judge)?;
    let settings = settings.unwrap_or_else(|| format!("{};", piece.settings));
    let texts = books::advance_texts(piece.batch);
    let advance = prepared.by_name(session, &books::advance_by_name(), &texts).await;
    let advance = advance.map_err(judge)?;
    let advance = advance.unwrap_or_else(|| format!("{};", books::advance(piece.batch)));
    let mut sets = piece.may_go_by_name(statements).then(String::new);
    for (sql, parameters) in statements {
        let Some(before) = sets.take() else { break };
        let named = prepared.by_name(session, sql, parameters).await.map_err(judge)?;
        sets = named.map(|named| before + &named);
    }
    let begin = format!("{BEGIN};{settings}");
    Ok(Messages { begin, sets, end: format!("{}{advance}commit", piece.notes) })
}

/// In one message, of statements that the server knows.
async fn by_name(
    writing: &Writing<'_>,
    piece: &Piece<'_>,
    messages: &Messages,
    sets: &str,
) -> Result<Done, Trouble> {
    let Messages { begin, end, .. } = messages;
    if !piece.has_to_be_seen() {
        let message = format!("{begin}{sets}{end}");
        return writing.session.query(&message).await.map(|_| Done::Committed);
    }
    // The first two begin.
    let rows = writing.session.run(&format!("{begin}{sets}")).await?;
    Ok(Done::Written(rows.into_iter().skip(2).collect()))
}

/// In messages that do not wait for each other.
async fn in_words(
    writing: &Writing<'_>,
    piece: &Piece<'_>,
    messages: &Messages,
    statements: &[Plain],
) -> Result<Done, Trouble> {
    let session = writing.session;
    // Each sends what it has when it is first asked, in this order. What comes after a failure fails
    // for that alone.
    let written = statements.iter().map(|(sql, parameters)| session.write(sql, parameters));
    let begun_and_written = join(session.query(&messages.begin), join_all(written));
    if piece.has_to_be_seen() {
        let (begun, written) = begun_and_written.await;
        begun?;
        return written.into_iter().collect::<Result<_, _>>().map(Done::Written);
    }
    let ((begun, written), committed) = join(begun_and_written, session.query(&messages.end)).await;
    begun?;
    written.into_iter().try_for_each(|written| written.map(drop))?;
    committed.map(|_| Done::Committed)
}

impl Piece<'_> {
    /// Whether names are of use for the sets: where there is but one way to find the rows, a plan that
    /// is kept stays good however the table grows.
    fn may_go_by_name(&self, statements: &[Plain]) -> bool {
        let texts = statements.iter().flat_map(|(_, parameters)| parameters);
        self.sets.iter().all(|set| set.does == Does::Put)
            && texts.map(String::len).sum::<usize>() <= TEXTS_MAX
    }

    /// Whether it has to be seen what a set did, before it is committed.
    fn has_to_be_seen(&self) -> bool {
        self.sets.iter().any(has_to_be_seen)
    }

    /// Whether the sets wrote the rows that they were to write.
    fn is_as_meant(&self, rows: &[u64]) -> bool {
        let is_so =
            |(set, rows): (&Set, &u64)| !has_to_be_seen(set) || *rows >= set.writes.len() as u64;
        self.sets.iter().zip(rows).all(is_so)
    }
}

/// Whether the number of rows says more than that nothing went wrong.
fn has_to_be_seen(set: &Set) -> bool {
    let layout = &set.layout;
    match set.does {
        Does::Update | Does::Patch | Does::Move => true,
        Does::Put | Does::Insert => layout.shard.is_some() || layout.has_triggers,
        Does::Delete => layout.has_triggers,
        Does::Empty => false,
    }
}

/// Whatever the role's default is.
pub(super) const BEGIN: &str = "begin isolation level read committed, read write";
