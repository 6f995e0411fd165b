//! Copies in PostgreSQL and of it: equal whatever they are kept in, mended by their statements, and
//! refused with the codes of logins and of what is not there.

use crate::program::{Folder, Ran};
use crate::rig::open;
use serde_json::json;
use testkit::postgres::{Server, shared};

/// A table with what is easily lost on the way.
const ITEM: &str = "create table item (id bigint primary key, \"the \"\"name\"\"\" text, price numeric(12, 2),
    rate float8, is_live bool, raw bytea, at timestamptz, day date, code uuid, tags text[], note jsonb)";

const ROWS: &str = "insert into item select n, 'item ' || n, n / 4.0, n / 3.0, n % 2 = 0,
    decode(lpad(to_hex(n), 4, '0'), 'hex'), timestamptz '2026-11-21 23:59:59.5+00' + n * interval '1 h',
    date '2026-11-21' + n, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid,
    array['a', null, 'it''s \\ ' || n], jsonb_build_object('n', n) from generate_series(1, 40) n";

/// Two databases of one server, and a folder.
struct Two {
    server: &'static Server,
    source: String,
    copy: String,
    folder: Folder,
}

impl Two {
    /// Both with the same rows; none where there is no PostgreSQL.
    fn new() -> Option<Self> {
        let server = shared()?;
        let two = Self {
            server,
            source: server.database(),
            copy: server.database(),
            folder: Folder::new(),
        };
        for database in [&two.source, &two.copy] {
            server.sql(database, ITEM);
            server.sql(database, ROWS);
        }
        Some(two)
    }

    fn url(&self, database: &str) -> String {
        format!("{}?table=item", self.server.url(database))
    }

    fn verify(&self, flags: &str) -> Ran {
        let (source, copy) = (self.url(&self.source), self.server.url(&self.copy));
        self.folder.run(&format!("verify --source {source} --copy {copy} --settle 100ms {flags}"))
    }

    fn break_copy(&self) {
        self.server.sql(
            &self.copy,
            "delete from item where id in (1, 2);
             insert into item (id, \"the \"\"name\"\"\") values (-7, 'extra');
             update item set \"the \"\"name\"\"\" = 'a''b\\c', price = null, rate = 'NaN', tags = null, raw = '\\x00',
                note = '{}', at = 'infinity' where id = 9",
        );
    }
}

#[test]
fn two_databases_are_compared_by_sums_and_the_copy_is_mended_by_its_statements() {
    let Some(two) = Two::new() else { return };
    let equal = two.verify("--json").json();
    let data = &equal["data"];
    assert_eq!(
        (&equal["status"], &data["compared"], &data["method"]),
        (&json!("ok"), &json!(40), &json!("sums"))
    );
    assert!(data["position"].as_str().unwrap().contains('/'), "{data:#}");
    assert_eq!(data["copy"]["table"], "public.item");
    two.break_copy();
    let differs = two.verify("--json");
    let data = differs.json()["data"].clone();
    let numbers = ["missing", "extra", "different"].map(|it| data[it].as_u64().unwrap());
    assert_eq!((differs.code, numbers), (3, [2, 1, 1]), "{data:#}");
    let sql = two.verify("--output sql");
    assert_eq!(sql.code, 3, "{}", sql.err);
    two.server.sql(&two.copy, &sql.out);
    let mended = two.verify("--show-values");
    assert_eq!(mended.code, 0, "{}{}{}", mended.out, mended.err, sql.out);
}

#[test]
fn rows_that_differ_before_at_the_source_are_mended_with_what_it_has() {
    let Some(two) = Two::new() else { return };
    two.server.sql(
        &two.source,
        "update item set rate = '-Infinity', price = 'NaN', day = 'infinity', tags = '{{1,2},{3,null}}',
            \"the \"\"name\"\"\" = E'\\n--; drop table item; \\'' where id = 5;
         insert into item (id, tags, raw) values (99, '{}', '\\xff00')",
    );
    let sql = two.verify("--output sql").out;
    two.server.sql(&two.copy, &sql);
    let mended = two.verify("--show-values");
    assert_eq!(mended.code, 0, "{}{}{sql}", mended.out, mended.err);
}

#[test]
fn a_copy_in_a_file_is_equal_whatever_its_values_are_kept_as_and_is_mended_there() {
    let Some(two) = Two::new() else { return };
    let file = two.folder.path().join("copy.db");
    open(&file)
        .execute_batch(
            "create table item (id integer primary key, \"the \"\"name\"\"\" text, price text, rate real,
                is_live int, raw blob, at text, day text, code text, tags text, note text)",
        )
        .unwrap();
    let source = two.url(&two.source);
    let verify = |flags: &str| {
        two.folder
            .run(&format!("verify --source {source} --copy sqlite:copy.db --settle 100ms {flags}"))
    };
    let empty = verify("--output sql");
    assert_eq!(empty.code, 3, "{}", empty.err);
    open(&file).execute_batch(&empty.out).unwrap();
    let mended = verify("--show-values");
    assert_eq!(mended.code, 0, "{}{}{}", mended.out, mended.err, empty.out);
    assert!(mended.out.contains("source  public.item in "), "{}", mended.out);
    assert!(mended.out.contains("copy    item in "), "{}", mended.out);
}

#[test]
fn who_does_not_get_in_or_finds_no_table_has_no_verdict() {
    let Some(two) = Two::new() else { return };
    let copy = two.url(&two.copy);
    for (source, code, problem) in [
        (two.url(&two.source).replace("postgres@", "nobody-there:c4nary@"), 5, "E-POSTGRES-LOGIN"),
        (two.url(&two.source).replace("table=item", "table=nothing"), 6, "E-TABLE-MISSING"),
    ] {
        let ran = two.folder.run(&format!("--json verify --source {source} --copy {copy}"));
        assert_eq!(
            (ran.code, ran.problems()),
            (code, vec![problem.to_owned()]),
            "{source}: {}",
            ran.out
        );
        assert!(!format!("{}{}", ran.out, ran.err).contains("c4nary"));
    }
    // A role that may read nothing, and then just what is compared.
    let role = format!("nosy_{}", two.source);
    two.server.sql(&two.source, &format!("create role {role} login"));
    let source = two.url(&two.source).replace("postgres@", &format!("{role}@"));
    let verify = || {
        let flags = "--columns price,day --settle 100ms";
        two.folder.run(&format!("--json verify --source {source} --copy {copy} {flags}"))
    };
    let denied = verify();
    assert_eq!((denied.code, denied.problems()), (5, vec!["E-POSTGRES-PRIVILEGE".to_owned()]));
    let grant = format!("grant select (id, price, day) on item to {role}");
    two.server.sql(&two.source, &grant);
    let equal = verify();
    assert_eq!(equal.code, 0, "{}", equal.out);
    let total = two.verify("--json --counts by=");
    assert_eq!((total.code, &total.json()["data"]["compared"]), (0, &json!(1)));
    let two_sided = two.verify("--json --where nowhere=1");
    assert_eq!(two_sided.code, 6, "{}", two_sided.out);
}
