//! Logins of every kind, and what is refused.

use super::rig::{PATIENCE, Secure};
use instep_connectors::postgres::{Access, Replication, Session, Side, Trouble, judge};
use model::{Code, Fate};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;

/// Both kinds of connections, as the server sees them: who, and whether it is encrypted.
async fn both(url: &str) -> Result<[String; 2], Trouble> {
    const WHO: &str = "select usename || ' ' || ssl from pg_stat_activity a join pg_stat_ssl s \
                       using (pid) where pid = pg_backend_pid()";
    let access = Access::parse(url).unwrap();
    let by_session = Session::connect(&access).await;
    let by_replication = Replication::connect(&access).await;
    if let (Err(one), Err(other)) = (&by_session, &by_replication) {
        assert_eq!(std::mem::discriminant(one), std::mem::discriminant(other), "{one} {other}");
    }
    let cell = |rows: Vec<Vec<Option<String>>>| rows[0][0].clone().unwrap();
    let session = cell(by_session?.query(WHO).await?);
    let mut replication = by_replication?;
    let encrypted = replication.is_encrypted();
    let replication = cell(replication.query(WHO).await?);
    assert_eq!(replication.ends_with("true"), encrypted);
    Ok([session, replication])
}

fn judged(trouble: Trouble) -> (Fate, Code, String) {
    let fault = judge(Side::Source, "db", trouble);
    (fault.fate, fault.code, fault.what)
}

#[tokio::test]
async fn a_password_is_proven_and_bound_to_the_encryption() {
    let Some(secure) = Secure::shared() else { return };
    let ca = secure.file("ca");
    let parameters = format!("sslmode=verify-full&sslrootcert={ca}&channel_binding=require");
    let url = secure.url("by_scram", "localhost", &parameters);
    assert_eq!(both(&url).await.unwrap(), ["by_scram true"; 2]);
    for (user, parameters, who) in [
        ("by_scram", "sslmode=disable", "by_scram false"),
        ("by_scram", "channel_binding=disable", "by_scram true"),
        ("by_md5", "sslmode=disable", "by_md5 false"),
        ("by_md5", "", "by_md5 true"),
        ("by_password", "sslmode=require", "by_password true"),
    ] {
        let url = secure.url(user, "127.0.0.1", parameters);
        assert_eq!(both(&url).await.unwrap(), [who; 2], "{user} {parameters}");
    }
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_told_apart_from_a_server_that_is_away() {
    let Some(secure) = Secure::shared() else { return };
    let port = secure.server.port();
    for user in ["by_scram:wrong", "by_md5:wrong", "by_scram", "by_md5", "nobody", "missing"] {
        let url = format!("postgres://{user}@127.0.0.1:{port}/missing?connect_timeout=100");
        let (fate, code, what) = judged(both(&url).await.unwrap_err());
        assert_eq!((fate, code), (Fate::Retry, Code::PostgresLogin), "{user}: {what}");
    }
}

#[tokio::test]
async fn what_cannot_be_bound_is_refused_where_it_has_to_be() {
    let Some(secure) = Secure::shared() else { return };
    for (user, parameters) in [
        ("by_scram", "sslmode=disable&channel_binding=require"),
        ("by_md5", "channel_binding=require"),
    ] {
        let url = secure.url(user, "127.0.0.1", parameters);
        let (fate, code, what) = judged(both(&url).await.unwrap_err());
        assert_eq!((fate, code), (Fate::Retry, Code::PostgresLogin), "{user}: {what}");
    }
}

#[tokio::test]
async fn a_password_is_not_sent_as_it_is_where_others_can_read_it() {
    let Some(secure) = Secure::shared() else { return };
    let url = secure.url("by_password", "127.0.0.1", "sslmode=disable");
    let refused = Replication::connect(&Access::parse(&url).unwrap()).await.unwrap_err();
    let (fate, code, what) = judged(refused);
    assert_eq!((fate, code), (Fate::Retry, Code::PostgresLogin), "{what}");
    assert!(what.contains("others can read"), "{what}");
}

#[tokio::test]
async fn a_certificate_is_looked_at_as_closely_as_the_url_says() {
    let Some(secure) = Secure::shared() else { return };
    let (ca, other) = (secure.file("ca"), secure.file("other-ca"));
    // The certificate names `localhost`, and no address.
    for (at, parameters, said) in [
        ("localhost", format!("sslmode=verify-full&sslrootcert={ca}"), None),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ca}"), None),
        ("127.0.0.1", "sslmode=require".to_owned(), None),
        ("127.0.0.1", "sslmode=prefer".to_owned(), None),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ca}"), Some("not valid for")),
        ("localhost", format!("sslmode=verify-full&sslrootcert={other}"), Some("refused")),
        ("localhost", format!("sslmode=verify-ca&sslrootcert={other}"), Some("refused")),
        ("localhost", format!("sslmode=require&sslrootcert={other}"), Some("refused")),
        ("localhost", "sslmode=verify-full&sslrootcert=/missing".to_owned(), Some("/missing: ")),
        ("localhost", format!("sslmode=require&sslcert={ca}"), Some("belong together")),
    ] {
        match (both(&secure.url("by_scram", at, &parameters)).await, said) {
            (Ok(who), None) => assert_eq!(who, ["by_scram true"; 2], "{at} {parameters}"),
            (Err(trouble), Some(said)) => {
                let (fate, code, what) = judged(trouble);
                assert_eq!((fate, code), (Fate::Retry, Code::PostgresTls), "{parameters}: {what}");
                assert!(what.contains(said), "{parameters}: {what}");
            }
            (other, said) => panic!("{at} {parameters}: {other:?}, expected {said:?}"),
        }
    }
}

#[tokio::test]
async fn a_server_may_ask_for_our_certificate() {
    let Some(secure) = Secure::shared() else { return };
    let (cert, key) = (secure.file("client"), secure.file("client-key"));
    let parameters = format!("sslmode=require&sslcert={cert}&sslkey={key}");
    let url = secure.url("by_cert", "127.0.0.1", &parameters);
    assert_eq!(both(&url).await.unwrap(), ["by_cert true"; 2]);
    let url = secure.url("by_cert", "127.0.0.1", "sslmode=require");
    assert!(both(&url).await.is_err());
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_has_to_have_it() {
    let Some(server) = testkit::postgres::shared() else { return };
    let url = format!("{}?connect_timeout=100", server.url("postgres"));
    assert_eq!(both(&url).await.unwrap(), ["postgres false"; 2]);
    let (fate, code, what) = judged(both(&format!("{url}&sslmode=require")).await.unwrap_err());
    assert_eq!((fate, code), (Fate::Retry, Code::PostgresTls), "{what}");
}

#[tokio::test]
async fn a_socket_of_this_machine_will_do() {
    let Some(server) = testkit::postgres::shared() else { return };
    let folder = server.folder().display().to_string().replace('/', "%2F");
    let url =
        format!("postgres://postgres@{folder}:{}/postgres?connect_timeout=100", server.port());
    assert_eq!(both(&url).await.unwrap(), ["postgres false"; 2]);
}

#[tokio::test]
async fn the_first_server_that_will_do_is_taken() {
    let Some(server) = testkit::postgres::shared() else { return };
    let (_held, closed) = closed();
    let url = |first: &str, parameters: &str| {
        let servers = format!("{first},127.0.0.1:{}", server.port());
        format!("postgres://postgres@{servers}/postgres?{parameters}")
    };
    for role in ["any", "primary", "read-write", "prefer-standby"] {
        let patient = format!("connect_timeout=100&target_session_attrs={role}");
        let url = url(&closed.to_string(), &patient);
        assert_eq!(both(&url).await.unwrap(), ["postgres false"; 2], "{role}");
    }
    // One that listens, but never answers.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mute = mute.local_addr().unwrap().to_string();
    // Each server has as long as the other: a busy machine needs more of it for the one that answers.
    for seconds in [2, 15, 60] {
        match both(&url(&mute, &format!("connect_timeout={seconds}"))).await {
            Ok(who) => return assert_eq!(who, ["postgres false"; 2]),
            Err(trouble) => assert!(matches!(trouble, Trouble::Silent(_)), "{trouble}"),
        }
    }
    panic!("no server was taken");
}

/// An address that nobody listens on, and that nobody else gets as long as the socket is held.
fn closed() -> (TcpSocket, SocketAddr) {
    let held = TcpSocket::new_v4().unwrap();
    held.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = held.local_addr().unwrap();
    (held, address)
}

#[tokio::test]
async fn a_server_that_is_away_or_of_another_role_is_tried_again() {
    let Some(server) = testkit::postgres::shared() else { return };
    let (_held, closed) = closed();
    let away = format!("postgres://postgres@{closed}/postgres");
    let standby = "connect_timeout=100&target_session_attrs=standby";
    let wrong = format!("{}?{standby}", server.url("postgres"));
    for url in [away, wrong] {
        let (fate, code, what) = judged(both(&url).await.unwrap_err());
        assert_eq!((fate, code), (Fate::Retry, Code::SourceUnavailable), "{what}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_given_up() {
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    let url = format!("postgres://a@127.0.0.1:{port}/x?connect_timeout=1");
    let tried = timeout(PATIENCE, both(&url)).await.expect("it is given up");
    let (fate, _, what) = judged(tried.unwrap_err());
    assert!(fate == Fate::Retry && what.contains("connect_timeout"), "{what}");
}
