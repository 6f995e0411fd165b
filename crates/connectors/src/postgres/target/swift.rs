//! A small transaction that goes to the server in one piece, since each part would wait for the answer
//! to the one before.
//!
//! Where it has to be seen that a row was there, the commit waits for that. If anything is unusual
//! nothing of it is left, and it is done again step by step.

use super::books;
use super::prepared::{Prepared, execute, is_unknown};
use super::sets::{Does, Set};
use super::statements::{Statement, statement};
use super::trouble::{Failure, of_rows, of_server};
use super::write::{Writing, superseded};
use crate::postgres::trouble::Trouble;
use futures_util::future::{join, join_all};
use model::Batch;

/// So many sets go out together.
const SETS_MAX: usize = 16;

/// So many writes are few.
pub(super) const WRITES_MAX: usize = 100;

/// What is written into a statement and not beside it is read twice.
const TEXTS_MAX: usize = 32 << 10;

/// What is to be done.
pub(super) struct Piece<'a> {
    /// How the transaction is to be, and its lock.
    pub(super) settings: String,
    pub(super) sets: &'a [Set],
    /// What belongs to the rows.
    pub(super) notes: String,
    pub(super) batch: &'a Batch,
}

/// A statement and its parameters.
type Plain = (String, Vec<String>);

/// What came of it.
enum Done {
    Committed,
    /// Each set wrote so many rows, and this is to end it.
    Written(Vec<u64>, String),
    /// It has to be taken back, and done step by step.
    Unusual,
}

/// Begins, writes and commits; false if it is to be done step by step, and nothing is left of it.
pub(super) async fn run(
    writing: &Writing<'_>,
    prepared: &mut Prepared,
    piece: &Piece<'_>,
) -> Result<bool, Failure> {
    let Some(statements) = statements(writing, piece) else { return Ok(false) };
    let done = match names(writing, prepared, piece, &statements).await? {
        Some(names) => by_name(writing, prepared, piece, (&names, &statements)).await?,
        None => in_words(writing, piece, &statements).await?,
    };
    match done {
        Done::Committed => return Ok(true),
        Done::Written(rows, end) if piece.is_as_meant(&rows) => {
            let committed = writing.session.query(&end).await;
            committed.map_err(|trouble| writing.of_commit(trouble))?;
            return Ok(true);
        }
        Done::Written(..) | Done::Unusual => {}
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

/// The names of all statements, if the server knows them.
async fn names(
    writing: &Writing<'_>,
    prepared: &mut Prepared,
    piece: &Piece<'_>,
    statements: &[Plain],
) -> Result<Option<Vec<String>>, Failure> {
    let texts = statements.iter().flat_map(|(_, parameters)| parameters);
    if texts.map(String::len).sum::<usize>() > TEXTS_MAX {
        return Ok(None);
    }
    let advance = books::advance_by_name();
    let around = [(&*piece.settings, 0), (&*advance, books::ADVANCE_TEXTS)];
    let sets = statements.iter().map(|(sql, parameters)| (sql.as_str(), parameters.len()));
    let names = prepared.names(writing.session, around.into_iter().chain(sets)).await;
    Ok(names.map_err(|trouble| of_server(writing.access, trouble))?)
}

/// In one message, by names that the server knows.
async fn by_name(
    writing: &Writing<'_>,
    prepared: &mut Prepared,
    piece: &Piece<'_>,
    (names, statements): (&[String], &[Plain]),
) -> Result<Done, Failure> {
    let [settings, advance, sets @ ..] = names else { return Ok(Done::Unusual) };
    let mut message = format!("{BEGIN};{}", execute(settings, &[]));
    for (name, (_, parameters)) in sets.iter().zip(statements) {
        message.push_str(&execute(name, parameters));
    }
    let advance = execute(advance, &books::advance_texts(piece.batch));
    let end = format!("{}{advance}commit", piece.notes);
    if !piece.has_to_be_seen() {
        message.push_str(&end);
    }
    let rows = match writing.session.run(&message).await {
        Ok(rows) => rows,
        Err(trouble) if books::is_superseded(&trouble) => {
            return Err(superseded(writing.lane).into());
        }
        Err(trouble) if is_unknown(&trouble) => {
            prepared.end();
            return Ok(Done::Unusual);
        }
        Err(trouble) => return refused(writing, trouble).map(|()| Done::Unusual),
    };
    match piece.has_to_be_seen() {
        true => Ok(Done::Written(rows.into_iter().skip(2).collect(), end)),
        false => Ok(Done::Committed),
    }
}

/// In messages that do not wait for each other.
async fn in_words(
    writing: &Writing<'_>,
    piece: &Piece<'_>,
    statements: &[Plain],
) -> Result<Done, Failure> {
    let session = writing.session;
    let begin = format!("{BEGIN};{}", piece.settings);
    // Each sends what it has when it is first asked, in this order.
    let written = statements.iter().map(|(sql, parameters)| session.write(sql, parameters));
    let begun_and_written = join(session.query(&begin), join_all(written));
    let end = format!("{}{}; commit", piece.notes, books::advance(piece.batch));
    let ((begun, written), committed) = match piece.has_to_be_seen() {
        true => (begun_and_written.await, None),
        false => {
            let (first, committed) = join(begun_and_written, session.query(&end)).await;
            (first, Some(committed))
        }
    };
    begun.map_err(|trouble| of_server(writing.access, trouble))?;
    let mut rows = Vec::new();
    for written in written {
        match written {
            Ok(written) => rows.push(written),
            // What comes after a refusal fails for that alone.
            Err(trouble) => return refused(writing, trouble).map(|()| Done::Unusual),
        }
    }
    match committed {
        Some(Ok(_)) => Ok(Done::Committed),
        Some(Err(trouble)) => Err(writing.of_commit(trouble)),
        None => Ok(Done::Written(rows, end)),
    }
}

/// Rows that are refused are done step by step; anything else is a fault.
fn refused(writing: &Writing<'_>, trouble: Trouble) -> Result<(), Failure> {
    match of_rows(writing.access, trouble) {
        Failure::Refused(_) => Ok(()),
        fault @ Failure::Fault(_) => Err(fault),
    }
}

impl Piece<'_> {
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
