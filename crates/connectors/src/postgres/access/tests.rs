//! What a URL says, what it leaves out, and what is wrong with one.

use super::{Access, Encryption, Role, Server};
use proptest::prelude::*;

fn tcp(name: &str, port: u16) -> Server {
    Server::Tcp { name: name.into(), port }
}

fn what(url: &str) -> String {
    Access::parse(url).unwrap_err().what
}

#[test]
fn a_url_is_taken_apart() {
    let url = "postgres://app:s%40cret@db-a:5433,db-b,[::1]:7/questions?target_session_attrs=\
               primary&sslmode=require&connect_timeout=3&application_name=quiz%20app";
    let access = Access::parse(url).unwrap();
    assert_eq!(access.servers, [tcp("db-a", 5433), tcp("db-b", 5432), tcp("::1", 7)]);
    assert_eq!((&*access.user, &*access.database), ("app", "questions"));
    assert_eq!(access.password.as_ref().unwrap().as_bytes(), b"s@cret");
    assert_eq!((access.role, access.encryption), (Role::Primary, Some(Encryption::Require)));
    assert_eq!((access.connect_timeout.as_secs(), &*access.application_name), (3, "quiz app"));
    assert_eq!(access.servers[2].to_string(), "[::1]:7");
    assert!(!format!("{access:?}").contains("cret"));
}

#[test]
fn the_database_is_named_for_the_user_where_none_is_named() {
    let access = Access::parse("postgresql://app@db").unwrap();
    assert_eq!((&*access.user, &*access.database), ("app", "app"));
    assert_eq!(access.servers, [tcp("db", 5432)]);
}

#[test]
fn sockets_are_named_by_their_folder() {
    let socket = |folder: &str, port| Server::Socket { folder: folder.into(), port };
    for (url, servers) in [
        ("postgres://app@%2Frun%2Fpg:7/forms", vec![socket("/run/pg", 7)]),
        ("postgres://app@/forms?host=/run/pg", vec![socket("/run/pg", 5432)]),
        ("postgres://app@/forms", vec![socket("/var/run/postgresql", 5432)]),
        ("postgres://app@/f?host=/run/pg,db&port=1,2", vec![socket("/run/pg", 1), tcp("db", 2)]),
    ] {
        assert_eq!(Access::parse(url).unwrap().servers, servers, "{url}");
    }
    assert_eq!(socket("/run/pg", 7).to_string(), "/run/pg/.s.PGSQL.7");
}

#[test]
fn only_this_machine_is_spoken_to_in_the_clear_unasked() {
    for (url, encryption) in [
        ("postgres://a@db.example.com/x", Encryption::VerifyFull),
        ("postgres://a@10.0.0.7/x", Encryption::VerifyFull),
        ("postgres://a@localhost.example.com/x", Encryption::VerifyFull),
        ("postgres://a@localhost/x", Encryption::Prefer),
        ("postgres://a@127.0.0.1/x", Encryption::Prefer),
        ("postgres://a@[::1]/x", Encryption::Prefer),
        ("postgres://a@localhost/x?sslmode=verify-full", Encryption::VerifyFull),
        ("postgres://a@db/x?sslmode=disable", Encryption::Disable),
        ("postgres://a@/x?sslmode=verify-full", Encryption::Disable),
    ] {
        let access = Access::parse(url).unwrap();
        assert_eq!(access.encryption_of(&access.servers[0]), encryption, "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_url_is_said() {
    for (url, said) in [
        ("mysql://a@b/c", "does not begin with `postgres://`"),
        ("postgres://a@b:x/c", "`x` is no port"),
        ("postgres://a@b:0/c", "`0` is no port"),
        ("postgres://a@b:70000/c", "`70000` is no port"),
        ("postgres://a:secret?user=b", "end in `@`"),
        ("postgres://a:12345678/c?user=b", "end in `@`"),
        ("postgres://a@::1/c", "in brackets"),
        ("postgres://a@[::1/c", "closing `]`"),
        ("postgres://a@[::1]x/c", "no port"),
        ("postgres://a:%zz@b/c", "the password has a `%` without two digits"),
        ("postgres://a:%ff@b/c", "the password is not UTF-8"),
        ("postgres://a:%00@b/c", "zero byte"),
        ("postgres://a@b/c/d", "more than one name"),
        ("postgres://a@b/c#d", "%23"),
        ("postgres://a:se/cret@b/c", "write %2F"),
        ("postgres://a:se?cret@b/c", "or %3F"),
        ("postgres://a@b,,c/d", "a server has no name"),
        ("postgres://a@b/c?sslmode=allow", "one of disable, prefer"),
        ("postgres://a@b/c?sslmod=disable", "known are application_name"),
        ("postgres://a@b/c?sslmode", "`sslmode` has no value"),
        ("postgres://a@b/c?password=a&secret", "a parameter has no value"),
        ("postgres://a@b/c?user=x&user=y", "`user` stands twice"),
        ("postgres://a@b/c?connect_timeout=0", "1 to 3600 seconds"),
        ("postgres://a@b/c?host=d", "as well"),
        ("postgres://a@/c?host=d,e&port=1,2,3", "another number of ports"),
        ("postgres://a@/c?target_session_attrs=master", "one of any, read-write"),
    ] {
        assert!(what(url).contains(said), "{url}: {}", what(url));
        assert!(!what(url).contains("secret") && !what(url).contains("12345678"), "{url}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_without_its_password(
        text in "(postgres://)?[a-z:@/?&=%,\\[\\]0-9#\u{e9}]{0,40}",
        password in "[a-z]{12}",
    ) {
        let _ = Access::parse(&text);
        let url = format!("postgres://app:{password}@{text}");
        match Access::parse(&url) {
            Ok(access) => {
                let shown = format!("{:?}", access.password);
                prop_assert!(!shown.contains(&password));
            }
            Err(fault) => prop_assert!(!fault.what.contains(&password), "{}", fault.what),
        }
    }
}
