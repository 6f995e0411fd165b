//! About how many rows a table has, without counting them.

use crate::sqlite::quote;
use model::TableName;
use rusqlite::{Connection, OptionalExtension};

/// What `analyze` has noted; else how far apart the first and the last number of a row are, which
/// is too much where rows were deleted. Nothing where neither is known, or numbers say nothing: more
/// rows than fit into the file.
pub(in crate::sqlite) fn rows(
    connection: &Connection,
    name: &TableName,
) -> rusqlite::Result<Option<u64>> {
    if let Some(noted) = noted(connection, name)? {
        return Ok(Some(noted));
    }
    let has_numbers = "select wr = 0 from pragma_table_list where schema = 'main' and name = ?1
        and type = 'table'";
    let has_numbers = connection.query_row(has_numbers, [name.as_str()], |row| row.get(0));
    if has_numbers.optional()? != Some(true) {
        return Ok(None);
    }
    let name = quote::name(name.as_str());
    // Each of the two is at an end of the tree; both at once would be looked for in all of it.
    let ends = format!(
        "select (select max(rowid) from main.{name}), (select min(rowid) from main.{name}),
            (select page_count * page_size from pragma_page_count, pragma_page_size)"
    );
    let ends = connection.query_row(&ends, [], |row| {
        Ok((row.get::<_, Option<i64>>(0)?, row.get::<_, Option<i64>>(1)?, row.get::<_, i64>(2)?))
    })?;
    let (Some(last), Some(first), bytes) = ends else { return Ok(Some(0)) };
    let rows = i128::from(last) - i128::from(first) + 1;
    Ok(u64::try_from(rows).ok().filter(|_| rows <= i128::from(bytes / ROW_BYTES_MIN)))
}

/// No row takes less, with its number and its place in the page.
const ROW_BYTES_MIN: i64 = 4;

/// The first word of what is noted of an index is how many rows it has; a partial one has fewer.
fn noted(connection: &Connection, name: &TableName) -> rusqlite::Result<Option<u64>> {
    let is_there = "select exists (select 1 from main.sqlite_master where name = 'sqlite_stat1')";
    if !connection.query_row(is_there, [], |row| row.get::<_, bool>(0))? {
        return Ok(None);
    }
    let most = "select max(cast(stat as integer)) from main.sqlite_stat1 where tbl = ?1";
    let most: Option<i64> = connection.query_row(most, [name.as_str()], |row| row.get(0))?;
    Ok(most.and_then(|rows| u64::try_from(rows).ok()))
}

#[cfg(test)]
mod tests {
    use super::rows;
    use rusqlite::Connection;

    #[test]
    fn rows_are_estimated_by_what_is_cheap_to_ask() {
        let connection = Connection::open_in_memory().unwrap();
        let made = "create table t (id integer primary key, v text);
            create table w (id text primary key, v int) without rowid;
            create table far (id integer primary key);
            insert into far values (1), (4611686018427387904), (-4611686018427387904);
            create table \"it's \"\"\" (v int); create view s as select * from t;";
        connection.execute_batch(made).unwrap();
        let of = |name: &str| rows(&connection, &name.into()).unwrap();
        assert_eq!((of("t"), of("w"), of("it's \""), of("s"), of("no")), {
            (Some(0), None, Some(0), None, None)
        });
        let fill = "insert into t with recursive n (id) as
                (select 11 union all select id + 1 from n where id < 510) select id, 'v' from n;
            insert into w select 'id ' || id, id from t; delete from t where id between 100 and 199;";
        connection.execute_batch(fill).unwrap();
        assert_eq!((of("t"), of("w"), of("far")), (Some(500), None, None));
        connection.execute_batch("analyze").unwrap();
        assert_eq!((of("t"), of("w"), of("far")), (Some(400), Some(500), Some(3)));
    }
}
