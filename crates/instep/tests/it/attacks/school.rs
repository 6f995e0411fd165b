//! A school: tables of many shapes that several processes write by many kinds of statements.
//!
//! Each transaction notes, in a table of the source that nobody follows, what every table and every
//! recount holds when it ends. So it can be said of a copy at any position whether it is the table
//! as it was there.

use crate::rig::{Chance, Pair, Rig, digest, lines, watermark};
use engine::push::lanes_at;
use model::{Lane, Offset};
use rusqlite::{Connection, params};

const CONFIG: &str = "
services:
  source: { sqlite: source.db }
  target: { sqlite: target.db }
sources:
  school: { from: source, tables: [item, person, seat, word] }
copies:
  items: { of: school/item, to: target/item, create: true }
  people: { of: school/person, to: target/person }
  seats: { of: school/seat, to: target/seat, create: true }
  words: { of: school/word, to: target/word, create: true }
counts:
  items: { of: school/item, by: [kind], to: [target/item_count, target/item_count_again] }
  named: { of: school/person, where: name is not null, to: [target/person_count] }
  guests: { of: school/seat, by: [hall], to: [target/seat_count] }
";

const TABLES: &str = "
    pragma journal_mode = wal;
    create table item (id integer primary key, kind text not null, title text);
    create table person (id integer primary key, email text not null unique, name text);
    create table seat (hall text not null, number int not null, guest text,
        primary key (hall, number)) without rowid;
    create table word (word text not null primary key, note blob);
    create table noted (position integer primary key, item int, person int, seat int, word int,
        items int, named int, guests int);";

const FIRST: &str = "
    insert into item values (1, 'k1', 'first'), (2, 'k2', null);
    insert into person values (1, 'mail1', 'Ada'), (2, 'mail2', null);
    insert into seat values ('east', 1, null), ('west', 1, 'g1');
    insert into word values ('w1', null), ('w2', x'00');";

/// What has to be equal in the source and in the target; the counts are those from the fifth on.
const PAIRS: [Pair; 8] = [
    (
        "select id, kind, title from item order by id",
        "select id, kind, title from item order by id",
    ),
    (
        "select id, email, name from person order by id",
        "select id, email, name from person order by id",
    ),
    (
        "select hall, number, guest from seat order by hall, number",
        "select hall, number, guest from seat order by hall, number",
    ),
    ("select word, note from word order by word", "select word, note from word order by word"),
    (ITEMS, "select kind, value from item_count where count = 'items' order by kind"),
    (
        "select * from (select count(*) as number from person where name is not null)
         where number > 0",
        "select value from person_count where count = 'named'",
    ),
    (
        "select hall, count(*) from seat group by hall order by hall",
        "select hall, value from seat_count where count = 'guests' order by hall",
    ),
    (ITEMS, "select kind, value from item_count_again where count = 'items' order by kind"),
];

const ITEMS: &str = "select kind, count(*) from item group by kind order by kind";

/// How many of them are noted; the last is another place of the same count.
const NOTED: usize = 7;

/// A school that is not followed yet. Its people's copy is there and has a unique index, too.
pub(super) fn school() -> Rig {
    let rig = Rig::new(CONFIG, &PAIRS);
    rig.write("source.db", TABLES);
    rig.write("source.db", FIRST);
    note(&rig.open("source.db"), 0).unwrap();
    rig.write(
        "target.db",
        "pragma journal_mode = wal; create table person (id integer primary key,
        email text not null unique, name text)",
    );
    rig
}

/// Writes one transaction by chance, and notes what all holds at its end.
pub(super) fn transact(connection: &Connection, chance: &mut Chance) -> rusqlite::Result<()> {
    connection.execute_batch("begin immediate")?;
    for _ in 0..=chance.below(4) {
        match chance.below(12) {
            0 => {
                connection.execute_batch("savepoint inner")?;
                attempt(connection, chance)?;
                attempt(connection, chance)?;
                connection.execute_batch("rollback to inner")?;
                attempt(connection, chance)?;
                connection.execute_batch("release inner")?;
            }
            1 => {
                connection.execute_batch("savepoint inner")?;
                attempt(connection, chance)?;
                connection.execute_batch("release inner")?;
            }
            _ => attempt(connection, chance)?,
        }
    }
    if chance.once_in(8) {
        return connection.execute_batch("rollback");
    }
    note(connection, token(connection)?)?;
    connection.execute_batch("commit")
}

/// A statement by chance; one that breaks a rule of its table changes nothing.
fn attempt(connection: &Connection, chance: &mut Chance) -> rusqlite::Result<()> {
    match connection.execute_batch(&statement(chance)) {
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) =>
        {
            Ok(())
        }
        done => done,
    }
}

fn statement(chance: &mut Chance) -> String {
    let (id, other, kind) = (chance.below(40), chance.below(40), chance.below(5));
    let number = chance.below(1_000);
    let hall = *chance.one(&["east", "west", "north"]);
    let seat = chance.below(12);
    let name = *chance.one(&["null", "'Ada'", "'Grace'", "''"]);
    match chance.below(20) {
        0 => format!("insert or replace into item values ({id}, 'k{kind}', 'r{number}')"),
        1 => format!(
            "insert into item values ({id}, 'k{kind}', null) on conflict (id)
             do update set kind = 'k{kind}', title = 'u{number}'"
        ),
        2 => format!("update or replace item set id = {other} where id = {id}"),
        3 => format!("update item set id = id + 40 where id between {id} and {id} + 5"),
        4 => "update item set id = id - 40 where id >= 40".to_owned(),
        5 => format!("delete from item where id % 11 = {kind}"),
        6 => format!(
            "insert or ignore into item values ({id}, 'k{kind}', 'i'), ({other}, 'k1', 'j')"
        ),
        7 => format!("update item set kind = 'k{kind}' where id % 3 = {number} % 3"),
        8 => format!("insert or replace into person values ({id}, 'mail{other}', {name})"),
        9 => format!(
            "insert into person values ({id}, 'mail{other}', {name}) on conflict (email)
             do update set name = {name}"
        ),
        10 => format!("update or replace person set email = 'mail{other}' where id = {id}"),
        11 => swap(id, other),
        12 => format!("update or replace person set id = {other} where id = {id}"),
        13 => format!("delete from person where id in ({id}, {other})"),
        14 => format!(
            "insert or replace into seat values ('{hall}', {seat}, 'g{number}'),
             ('{hall}', {seat} + 1, null)"
        ),
        15 => format!("update or replace seat set hall = '{hall}' where number = {seat}"),
        16 => format!("delete from seat where hall = '{hall}' and number > {seat}"),
        17 => format!("insert or replace into word values ('w{id}', x'00ff{kind:02x}')"),
        18 => format!("update or ignore word set word = 'v' || word where word like 'w{kind}%'"),
        _ => format!("delete from word where word = 'w{id}' or word like 'vv%'"),
    }
}

/// Two people change what has to be unique, by way of a third value.
fn swap(id: u64, other: u64) -> String {
    format!(
        "create temp table if not exists mail (id, email); delete from temp.mail;
         insert into temp.mail select id, email from person where id in ({id}, {other});
         update person set email = 'swap' || id where id in ({id}, {other});
         update person set email = (select email from temp.mail where mail.id <> person.id)
             where id in ({id}, {other}) and (select count(*) from temp.mail) = 2"
    )
}

/// The number of the last change.
fn token(connection: &Connection) -> rusqlite::Result<i64> {
    let token = "select seq from sqlite_sequence where name = 'instep_changes'";
    connection.query_row(token, [], |row| row.get(0))
}

/// Notes what all holds at a position.
fn note(connection: &Connection, position: i64) -> rusqlite::Result<()> {
    let mut digests = [0; NOTED];
    for (digest_of, (source, _)) in digests.iter_mut().zip(PAIRS) {
        *digest_of = digest(connection, source)?;
    }
    let [item, person, seat, word, items, named, guests] = digests;
    connection.execute(
        "insert or replace into noted values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![position, item, person, seat, word, items, named, guests],
    )?;
    Ok(())
}

/// Checks that every copy and every pushed count is what the source had at the position that it
/// reports; answers with the position of the copies.
pub(super) fn check(rig: &Rig) -> u64 {
    let (source, target) = (rig.open("source.db"), rig.open("target.db"));
    // One snapshot for the rows and the positions.
    target.execute_batch("begin").unwrap();
    let copies = watermark(&target, "school/source").unwrap().expect("the copies have begun");
    let position = number(&copies);
    for place in 0..4 {
        is_as_noted(&source, &target, place, place, position);
    }
    for (place, lane) in
        [(4, "item_count"), (5, "person_count"), (6, "seat_count"), (7, "item_count_again")]
    {
        let count = ["items", "named", "guests", "items"][place - 4];
        let lane = format!("count {count} in target/{lane}");
        if let Some(pushed) = watermark(&target, &lane).unwrap() {
            let at = lanes_at(&pushed).expect("a pushed count names its places");
            let at = number(&at[&Lane::from("school/source")]);
            is_as_noted(&source, &target, place, if place == 7 { 4 } else { place }, at);
        }
    }
    let held = lines(&target, "select * from instep_holds").unwrap();
    assert_eq!(held, Vec::<String>::new(), "nothing is held");
    position
}

fn number(offset: &Offset) -> u64 {
    assert!(!offset.is_inside(), "{offset} is between two transactions");
    offset.position.to_number().expect("a number")
}

/// The target holds what was noted at this position, or last before it.
fn is_as_noted(source: &Connection, target: &Connection, place: usize, noted: usize, at: u64) {
    let column = ["item", "person", "seat", "word", "items", "named", "guests"][noted];
    let ask =
        format!("select {column} from noted where position <= ?1 order by position desc limit 1");
    let expected: i64 = source.query_row(&ask, [at.cast_signed()], |row| row.get(0)).unwrap();
    let there = PAIRS[place].1;
    if digest(target, there).unwrap() != expected {
        let now = lines(source, PAIRS[place].0).unwrap();
        let found = lines(target, there).unwrap();
        panic!("`{there}` is not what the source had at {at}: {found:#?}\nnow there is {now:#?}");
    }
}
