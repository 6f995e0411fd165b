//! A pooler in between, as PgBouncer is one: it passes on what is SQL, and refuses the stream.

use super::seen::{Quiz, checks, found};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// The error that PgBouncer answers a startup with that asks for the stream.
fn refusal() -> Vec<u8> {
    let fields = b"SFATAL\0C08P01\0Munsupported startup parameter: replication\0\0";
    let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
    [&b"E"[..], &length, fields].concat()
}

/// Passes on one connection, or refuses it; whether any that was no stream came through is told by
/// what the server sees.
fn serve(mut client: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let mut length = [0; 4];
    client.read_exact(&mut length)?;
    let rest = usize::try_from(u32::from_be_bytes(length)).unwrap() - 4;
    let mut startup = vec![0; rest];
    client.read_exact(&mut startup)?;
    // A question for TLS is answered with no, and the startup follows.
    if rest == 4 {
        client.write_all(b"N")?;
        return serve(client, server);
    }
    if startup.windows(11).any(|window| window == b"replication") {
        return client.write_all(&refusal());
    }
    let mut server = TcpStream::connect(server)?;
    server.write_all(&length)?;
    server.write_all(&startup)?;
    let (mut from, mut to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut client, &mut server).map(drop)
}

/// The port of a pooler before a server; it ends with the process.
fn pooler(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = SocketAddr::from(([127, 0, 0, 1], server));
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || serve(client, server));
        }
    });
    port
}

#[test]
fn a_pooler_is_told_from_a_server_and_asked_nothing() {
    let Some(quiz) = Quiz::new() else { return };
    let port = pooler(quiz.server.port());
    let url = quiz.url().replace(&quiz.server.port().to_string(), &port.to_string());
    quiz.follow(&url, "public.question");
    let json = quiz.finds(3, &["E-POSTGRES-POOLER"]);
    assert!(found(&json, "app", "authentication").contains("startup parameter"), "{json:#}");
    assert_eq!(checks(&json, "app").last().unwrap()["layer"], "authentication");
    let ran = quiz.folder.run(&format!("--json init --from {url}"));
    assert_eq!((ran.code, ran.problems()), (4, vec!["E-POSTGRES-POOLER".to_owned()]));
}

#[test]
fn a_pooler_before_a_target_is_asked_nothing_and_not_said_to_be_good() {
    let Some(quiz) = Quiz::new() else { return };
    let port = pooler(quiz.server.port());
    let url = quiz.url().replace(&quiz.server.port().to_string(), &port.to_string());
    quiz.follow(&quiz.url(), "public.question");
    let config = std::fs::read_to_string(quiz.folder.path().join("instep.yaml")).unwrap();
    let config = config.replace("sqlite: report.db", &format!("postgres: \"{url}\""));
    quiz.folder.write("instep.yaml", config);
    quiz.add("counts:\n  all: { of: quiz/public.question, to: [report/public.counted] }\n");
    let json = quiz.finds(6, &["E-NOT-MEASURED"; 4]);
    assert!(found(&json, "report", "authentication").contains("a pooler"), "{json:#}");
}
