//! Who follows a file: one Instep, noted in the file itself.
//!
//! Two would take each other's changes away unread and undo each other's triggers. So whoever is not
//! the one that is noted is refused, until a person says which of the two it is to be. The same one
//! is known by the place of its data directory, also when what was in it was lost; or, when that
//! directory was moved, by its name in a later run than the one that is noted.

use crate::sqlite::trouble::Trouble;
use model::{Code, Fault};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

/// One Instep with its data directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// Its name, drawn by chance with its catalog.
    pub name: String,
    /// Which of its runs this is.
    pub run: u64,
    /// Its data directory, and the machine that this is on.
    pub place: String,
}

/// What a file says of who follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    name: String,
    run: u64,
    place: String,
    since: String,
}

impl Noted {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let is_there = "select exists (select 1 from main.sqlite_master \
                        where type = 'table' and name = 'instep_source')";
        if !connection.prepare_cached(is_there)?.query_row([], |row| row.get(0))? {
            return Ok(None);
        }
        let value = |name| format!("(select value from main.instep_source where name = '{name}')");
        let [name, run, place, since] =
            ["follower", "follower_run", "follower_place", "followed_since"].map(value);
        let noted = format!(
            "select cast({name} as text), cast({run} as integer), cast({place} as text), \
             cast({since} as text) where {name} is not null and {place} is not null"
        );
        let read = |row: &Row<'_>| {
            let run = row.get::<_, Option<i64>>(1)?.unwrap_or(0).unsigned_abs();
            let since = row.get::<_, Option<String>>(3)?.unwrap_or_default();
            Ok(Self { name: row.get(0)?, run, place: row.get(2)?, since })
        };
        connection.prepare_cached(&noted)?.query_row([], read).optional()
    }

    fn is(&self, it: &Installation) -> bool {
        self.name == it.name && self.place == it.place
    }

    /// Whether this one may follow the file as well: it is the same, as far as a file can tell.
    pub fn lets(&self, it: &Installation) -> bool {
        self.place == it.place || (self.name == it.name && self.run < it.run)
    }

    /// Why others may not follow the file.
    pub fn refusal(&self) -> Fault {
        let Self { name, place, since, .. } = self;
        let what = format!(
            "it is followed by another Instep, {name} with its data in {place}, since {since}"
        );
        Fault::retry(Code::SourceFollowed, what)
    }
}

/// A fault if the file is followed by another one.
pub(super) fn check(connection: &Connection, it: &Installation) -> Result<(), Trouble> {
    match Noted::read(connection)? {
        Some(noted) if !noted.lets(it) => Err(noted.refusal().into()),
        _ => Ok(()),
    }
}

/// In which of its runs the file notes this one as the one that follows it, if it does.
pub(super) fn noted_run(
    connection: &Connection,
    it: &Installation,
) -> rusqlite::Result<Option<u64>> {
    Ok(Noted::read(connection)?.filter(|noted| noted.is(it)).map(|noted| noted.run))
}

/// Notes this one as the one that follows the file, unless another one does.
pub(super) fn take(connection: &mut Connection, it: &Installation) -> Result<(), Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    check(&transaction, it)?;
    note(&transaction, it)?;
    transaction.commit()?;
    Ok(())
}

/// Notes this one as the one that follows the file, whoever did before; whether that was another. In
/// a file that nobody follows there is nothing to note it in.
pub(super) fn adopt(connection: &mut Connection, it: &Installation) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let was_another = Noted::read(&transaction)?.is_some_and(|noted| !noted.lets(it));
    if was_another {
        note(&transaction, it)?;
    }
    transaction.commit()?;
    Ok(was_another)
}

fn note(connection: &Connection, it: &Installation) -> rusqlite::Result<()> {
    let noted = Noted::read(connection)?;
    let now = "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')";
    let since = noted.as_ref().filter(|noted| noted.is(it)).map(|noted| noted.since.as_str());
    let note = format!(
        "insert or replace into main.instep_source (name, value) values ('follower', ?1), \
         ('follower_run', ?2), ('follower_place', ?3), ('followed_since', coalesce(?4, {now}))"
    );
    let run = i64::try_from(it.run).unwrap_or(i64::MAX);
    connection.execute(&note, params![it.name, run, it.place, since])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Installation, adopt, check, take};
    use crate::sqlite::source::books;
    use rusqlite::Connection;

    fn installation(name: &str, run: u64, place: &str) -> Installation {
        Installation { name: name.to_owned(), run, place: place.to_owned() }
    }

    fn file() -> Connection {
        let file = Connection::open_in_memory().unwrap();
        books::create(&file).unwrap();
        file
    }

    #[test]
    fn only_the_installation_that_is_noted_may_follow() {
        let mut file = file();
        let first = installation("a", 3, "m:/a");
        take(&mut file, &first).unwrap();
        for (other, may) in [
            (installation("a", 3, "m:/a"), true),
            (installation("a", 4, "m:/a"), true),
            // Its data directory was lost, or an older one was put back.
            (installation("b", 1, "m:/a"), true),
            (installation("a", 1, "m:/a"), true),
            // It was moved, and started there.
            (installation("a", 4, "n:/b"), true),
            // It was copied, and the copy is no later than the original.
            (installation("a", 3, "n:/b"), false),
            (installation("a", 2, "n:/b"), false),
            (installation("b", 9, "n:/b"), false),
        ] {
            assert_eq!(check(&file, &other).is_ok(), may, "{other:?}");
        }
        assert!(take(&mut file, &installation("b", 9, "n:/b")).is_err());
        check(&file, &first).unwrap();
    }

    #[test]
    fn whoever_is_adopted_keeps_the_one_before_out() {
        let mut file = file();
        let (one, other) = (installation("a", 3, "m:/a"), installation("b", 1, "m:/b"));
        take(&mut file, &one).unwrap();
        assert!(adopt(&mut file, &other).unwrap());
        assert!(!adopt(&mut file, &other).unwrap(), "it is by now");
        take(&mut file, &other).unwrap();
        assert!(take(&mut file, &one).is_err());
    }

    #[test]
    fn a_file_that_nobody_follows_is_free() {
        let mut file = Connection::open_in_memory().unwrap();
        check(&file, &installation("a", 1, "m:/a")).unwrap();
        assert!(!adopt(&mut file, &installation("a", 1, "m:/a")).unwrap());
    }
}
