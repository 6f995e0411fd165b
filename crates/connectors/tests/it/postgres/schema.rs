//! Tables as the server describes them, and that nobody who writes one is refused because of us.

use super::rig::Database;
use instep_connectors::postgres::pgoutput::ReplicaIdentity;
use instep_connectors::postgres::schema::{Described, Order, Unfit, Why, describe};
use instep_connectors::postgres::types::Types;
use model::{Code, Collation, Column, Compares, Fault, Kind, TableName};

async fn types(database: &Database) -> Types {
    Types::read(&database.session.query(Types::QUERY).await.unwrap()).unwrap()
}

async fn described(database: &Database, name: &str) -> Result<Described, Unfit> {
    let types = types(database).await;
    let mut found = describe(&database.session, &types, &[name.into()]).await.unwrap();
    found.remove(0)
}

/// Of the name alone, compared in the natural way.
fn column(name: &str, kind: Kind, declared: &str, nullable: bool) -> Column {
    let compares = Compares::default();
    Column { name: name.into(), kind, declared: declared.into(), nullable, compares }
}

#[tokio::test]
async fn a_table_is_described_without_what_the_stream_does_not_carry() {
    let Some(database) = Database::new().await else { return };
    database
        .run(
            "create schema \"My.schema\";
             create table \"My.schema\".\"T.1\" (gone int, b text not null, a bigint,
                 sum bigint generated always as (a + 1) stored, \"C c\" numeric(10, 2),
                 primary key (b, a));
             alter table \"My.schema\".\"T.1\" drop gone;
             create table public.t (id int primary key, at timestamptz(3), v varchar(5)[])",
        )
        .await;
    let names: [TableName; 4] =
        ["public.t".into(), "public.no".into(), "t".into(), "public.t".into()];
    let found = describe(&database.session, &types(&database).await, &names).await.unwrap();
    let [Ok(first), Err(missing), Err(plain), Ok(again)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(first, again);
    assert_eq!((&missing.why, &plain.why), (&Why::Missing, &Why::Missing));
    assert_eq!(
        first.table.columns,
        [
            column("id", Kind::Int, "integer", false),
            column("at", Kind::TimestampTz, "timestamp(3) with time zone", true),
            column("v", Kind::Array, "character varying(5)[]", true),
        ]
    );
    assert_eq!(first.table.key.as_slice(), [0]);
    assert_eq!(first.identity, ReplicaIdentity::Default);
    assert!(!first.is_partitioned && first.leaves.is_empty());
    assert_eq!(first.columns[1].modifier, 3);
    let oid = database.one("select 'public.t'::regclass::oid").await;
    assert_eq!(first.oid.to_string(), oid);

    // A schema with a dot in it cannot be named; nothing else is taken for it.
    assert_eq!(described(&database, "My.schema.T.1").await.unwrap_err().why, Why::Missing);
    database.run("alter schema \"My.schema\" rename to \"My\"").await;
    let found = described(&database, "My.T.1").await.unwrap();
    assert_eq!(
        found.table.columns,
        [
            column("b", Kind::Text, "text", false),
            column("a", Kind::Int, "bigint", false),
            column("C c", Kind::Decimal, "numeric(10,2)", true),
        ]
    );
    assert_eq!(found.table.key_names().collect::<Vec<_>>(), ["b", "a"]);
    let numbers: Vec<i16> = found.columns.iter().map(|column| column.number).collect();
    assert_eq!(numbers, [2, 3, 5]);
    let mut versions = vec![found.table.version];
    for change in ["add d int", "rename d to e", "alter e type bigint", "drop e"] {
        database.run(&format!("alter table \"My\".\"T.1\" {change}")).await;
        versions.push(described(&database, "My.T.1").await.unwrap().table.version);
    }
    let different: std::collections::BTreeSet<_> = versions.iter().collect();
    assert_eq!(different.len(), versions.len(), "{versions:?}");
}

/// Statements that make `public.t`, and what its key is; or why it is refused, with a word of that.
type Made = (&'static str, Result<&'static str, (Code, &'static str)>);

/// PC4, PC16, PC21.
const TABLES: [Made; 31] = [
    ("create table public.t (a int primary key, b int)", Ok("a")),
    ("create table public.t (a int, b int, primary key (b, a) include (c), c int)", Ok("b,a")),
    ("create table public.t (a int, b int)", Err((Code::TableNoKey, "no primary key"))),
    ("create table public.t (a int not null unique)", Err((Code::TableNoKey, "no primary key"))),
    (
        "create table public.t (a int primary key deferrable)",
        Err((Code::TableNoKey, "deferrable")),
    ),
    (
        "create table public.t (a int primary key, b int not null, c int not null);
         create unique index i on public.t (c, b); alter table public.t replica identity using index i",
        Ok("c,b"),
    ),
    (
        "create table public.t (a int primary key, b int not null);
         create unique index i on public.t (b); alter table public.t replica identity using index i;
         drop index public.i",
        Err((Code::TableNoKey, "lost the index")),
    ),
    (
        "create table public.t (a int primary key); alter table public.t replica identity nothing",
        Err((Code::TableNoKey, "replica identity nothing")),
    ),
    (
        "create table public.t (b int not null unique, a int primary key);
         alter table public.t replica identity full",
        Ok("a"),
    ),
    (
        "create table public.t (a int unique, b int not null, c int not null);
         create unique index on public.t (b) where c > 0; create unique index on public.t ((b + 1));
         create unique index on public.t (c); create unique index on public.t (b);
         alter table public.t replica identity full",
        Ok("c"),
    ),
    (
        "create table public.t (a int primary key deferrable); alter table public.t replica identity full",
        Err((Code::TableNoKey, "unique index")),
    ),
    (
        "create table public.t (a int, b int generated always as (a) stored primary key)",
        Err((Code::TableUnsuitable, "generated")),
    ),
    ("create view public.t as select 1 as a", Err((Code::TableUnsuitable, "a view"))),
    (
        "create materialized view public.t as select 1 as a",
        Err((Code::TableUnsuitable, "materialized")),
    ),
    (
        "create unlogged table public.t (a int primary key)",
        Err((Code::TableUnsuitable, "set logged")),
    ),
    ("create sequence public.t", Err((Code::TableUnsuitable, "sequence"))),
    ("create type public.t as (a int)", Err((Code::TableUnsuitable, "no table"))),
    ("create table public.t (a int[] primary key)", Err((Code::TableUnsuitable, "arrays"))),
    ("create table public.t (a interval primary key)", Err((Code::TableUnsuitable, "spans"))),
    ("create table public.t (a timetz primary key)", Err((Code::TableUnsuitable, "instant"))),
    ("create table public.t (a jsonb primary key)", Err((Code::TableUnsuitable, "JSON"))),
    ("create table public.t (a regclass primary key)", Err((Code::TableUnsuitable, "names"))),
    (
        "create table public.whole (a int primary key) partition by range (a);
         create table public.t partition of public.whole default",
        Err((Code::TableUnsuitable, "follow public.whole")),
    ),
    (
        "create table public.t (a int, b int, primary key (b, a)) partition by range (a);
         create table public.t1 partition of public.t default partition by range (b);
         create table public.t2 partition of public.t1 default",
        Ok("b,a"),
    ),
    (
        "create table public.t (a int not null, b int) partition by range (a);
         create table public.t1 (b int, a int primary key);
         alter table public.t attach partition public.t1 default",
        Err((Code::TableNoKey, "no primary key")),
    ),
    (
        "create table public.t (a int primary key, b int) partition by range (a);
         create table public.t1 partition of public.t default;
         alter table public.t1 replica identity nothing",
        Err((Code::TableNoKey, "public.t1")),
    ),
    (
        "create table public.t (a int primary key, b int not null) partition by range (a);
         create table public.t1 partition of public.t default;
         create unique index i on public.t1 (b); alter table public.t1 replica identity using index i",
        Err((Code::TableNoKey, "public.t1")),
    ),
    (
        "create table public.t (a int primary key, b int not null) partition by range (a);
         create table public.t1 partition of public.t default;
         create unique index i on public.t1 (b, a);
         alter table public.t1 replica identity using index i",
        Ok("a"),
    ),
    (
        "create table public.t (a int primary key) partition by range (a);
         create unlogged table public.t1 partition of public.t default",
        Err((Code::TableUnsuitable, "unlogged")),
    ),
    (
        "create extension if not exists file_fdw;
         create server files foreign data wrapper file_fdw;
         create foreign table public.t (a int) server files options (filename '/dev/null')",
        Err((Code::TableUnsuitable, "foreign")),
    ),
    (
        "create table public.t (a int primary key);
         create table public.below (b int) inherits (public.t)",
        Ok("a"),
    ),
];

/// The rows of every kind of table can be told apart in the stream, or it is refused with a reason;
/// and who writes it is never refused.
#[tokio::test]
async fn a_table_has_a_key_that_the_stream_has_or_is_refused() {
    let Some(_) = Database::new().await else { return };
    for (made, expected) in TABLES {
        let database = Database::new().await.expect("a database");
        if database.session.query(made).await.is_err() && made.contains("file_fdw") {
            println!("NOT RUN: this server has no file_fdw");
            continue;
        }
        let found = described(&database, "public.t").await;
        match (found, expected) {
            (Ok(found), Ok(key)) => {
                assert_eq!(found.table.key_names().collect::<Vec<_>>().join(","), key, "{made}");
                write(&database, &found, made).await;
            }
            (Err(unfit), Err((code, word))) => {
                let fault = Fault::from(unfit);
                assert_eq!(fault.code, code, "{made}: {fault}");
                assert!(fault.what.contains(word), "{made}: {fault}");
            }
            (found, _) => panic!("{made}: {found:?}"),
        }
    }
}

/// Publishes the table as a source does, and changes it.
async fn write(database: &Database, found: &Described, made: &str) {
    let published = format!(
        "create publication ours for table {} with (publish_via_partition_root = true);
         set search_path = public",
        found.only()
    );
    database.run(&published).await;
    let column = if made.contains("c int not null") { "c" } else { "a" };
    let columns = database.one(
        "select string_agg(quote_ident(attname), ', ') from pg_catalog.pg_attribute
         where attrelid = 't'::regclass and attnum > 0 and not attisdropped and attgenerated = ''",
    );
    let columns = columns.await;
    let values = vec!["1"; columns.split(',').count()].join(", ");
    for statement in [
        &*format!("insert into t ({columns}) values ({values})"),
        &*format!("update t set {column} = 2"),
        "delete from t",
    ] {
        let done = database.session.query(statement).await;
        assert!(done.is_ok(), "{made}: {statement}: {done:?}");
    }
}

#[tokio::test]
async fn the_servers_own_tables_are_refused() {
    let Some(database) = Database::new().await else { return };
    for name in ["pg_catalog.pg_class", "information_schema.sql_features"] {
        let unfit = described(&database, name).await.unwrap_err();
        assert!(matches!(unfit.why, Why::Unsuitable(_)), "{unfit:?}");
    }
}

/// PC8.
#[tokio::test]
async fn a_partitioned_table_says_which_leaves_were_made_as_such() {
    let Some(database) = Database::new().await else { return };
    for statements in [
        "create table public.t (a int primary key, b text) partition by range (a)",
        "create table public.born partition of public.t for values from (0) to (10)",
        // Filled before it was attached, in one transaction.
        "create table public.came (b text, a int primary key); insert into public.came values ('', 10);
         alter table public.t attach partition public.came for values from (10) to (20)",
        "create table public.mid (a int primary key, b text) partition by range (a)",
        "create table public.under partition of public.mid for values from (20) to (30)",
        "alter table public.t attach partition public.mid for values from (20) to (30)",
        "alter table public.t add c int default 7; alter table public.born replica identity full",
        "vacuum full freeze",
    ] {
        database.run(statements).await;
    }
    let found = described(&database, "public.t").await.unwrap();
    assert!(found.is_partitioned);
    let mut leaves: Vec<_> =
        found.leaves.iter().map(|leaf| (leaf.name.as_str(), leaf.is_born, leaf.identity)).collect();
    leaves.sort_unstable();
    assert_eq!(
        leaves,
        [
            ("public.born", true, ReplicaIdentity::Full),
            ("public.came", false, ReplicaIdentity::Default),
            ("public.under", false, ReplicaIdentity::Default),
        ]
    );
    let file = |found: &Described| {
        let mut files = found.leaves.iter().filter(|leaf| leaf.name.as_str() == "public.born");
        files.next().unwrap().file
    };
    database.run("truncate public.born").await;
    let again = described(&database, "public.t").await.unwrap();
    assert_ne!(file(&found), file(&again));
    database.run("alter table public.t detach partition public.came").await;
    assert_eq!(described(&database, "public.t").await.unwrap().leaves.len(), 2);
}

#[tokio::test]
async fn texts_say_how_the_server_compares_them() {
    let Some(database) = Database::new().await else { return };
    let nocase = "create collation public.nocase (provider = icu, locale = 'und-u-ks-level2',
        deterministic = false)";
    database.run(nocase).await;
    database
        .run(
            "create type public.mood as enum ('sad', 'fine'); create type public.pair as (n int);
             create domain public.word as text collate \"POSIX\";
             create table public.t (id int primary key, a text, b varchar(9), c name,
                 d text collate \"C\", e public.word, f text collate \"en-x-icu\",
                 g text collate public.nocase, h public.mood, i char(5), j public.pair,
                 k numrange, l inet, m \"char\", n regclass)",
        )
        .await;
    let found = described(&database, "public.t").await.unwrap();
    let mut shown = Vec::new();
    for (column, known) in found.table.columns.iter().zip(&found.columns) {
        let collation = column.compares.collation.clone();
        let collation = collation.map(|Collation { name, equal_by_bytes }| {
            format!("{name}{}", if equal_by_bytes { "" } else { " unequal" })
        });
        let order = match known.order {
            Order::Unlike(_) => "unlike".to_owned(),
            order => format!("{order:?}").to_lowercase(),
        };
        shown.push(format!("{} {order} {}", column.name, collation.as_deref().unwrap_or("-")));
    }
    assert_eq!(
        shown,
        [
            "id own -",
            "a own -",
            "b own -",
            "c own -",
            "d own -",
            "e own -",
            "f bytes en-x-icu",
            "g bytes nocase unequal",
            "h writtenonly an enumeration",
            "i written character(5) unequal",
            "j writtenonly public.pair unequal",
            "k written numrange unequal",
            "l written inet unequal",
            "m written \"char\" unequal",
            "n unlike regclass unequal",
        ]
    );
}

#[tokio::test]
async fn the_databases_own_order_is_that_of_bytes_or_is_named() {
    let Some(database) = Database::new().await else { return };
    let other = format!("{}_other", database.name);
    let made = format!(
        "create database {other} template template0 locale_provider icu icu_locale 'en'
         locale 'C'"
    );
    database.run(&made).await;
    let mut access = database.access.clone();
    access.database = other;
    let session = instep_connectors::postgres::Session::connect(&access).await.unwrap();
    session.query("create table public.t (id text primary key)").await.unwrap();
    let types = Types::read(&session.query(Types::QUERY).await.unwrap()).unwrap();
    let found = describe(&session, &types, &["public.t".into()]).await.unwrap().remove(0).unwrap();
    let collation = found.table.columns[0].compares.collation.as_ref().unwrap();
    assert_eq!((&*collation.name, collation.equal_by_bytes), ("default", true));
    assert_eq!(found.columns[0].order, Order::Bytes);
}

#[tokio::test]
async fn a_type_that_is_newer_than_the_list_is_asked_for_again() {
    let Some(database) = Database::new().await else { return };
    let old = types(&database).await;
    database
        .run(
            "create type public.mood as enum ('sad');
             create table public.t (id int primary key, mood public.mood)",
        )
        .await;
    let found = describe(&database.session, &old, &["public.t".into()]).await.unwrap();
    assert_eq!(found[0].as_ref().unwrap_err().why, Why::NewType);
    assert!(described(&database, "public.t").await.is_ok());
    assert_eq!(describe(&database.session, &old, &[]).await.unwrap(), []);
}
