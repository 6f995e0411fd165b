//! The API over TLS, from the certificate in the configuration to the answer.

use super::process::Process;
use super::waiting::until;
use super::world::write;
use crate::program::Folder;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

const CONFIG: &str = "
version: 1
listen: 127.0.0.1:0
tls: { cert: tls/cert.pem, key: tls/key.pem }
auth: { tokens: [{ name: ops, role: operator, token: may-do-all }] }
services: { a: { sqlite: a.db } }
sources: { s: { from: a, tables: [t] } }
counts: { all: { of: s/t } }
";

/// A folder with a configuration, and a certificate for this machine.
fn certified() -> Folder {
    let folder = Folder::with(CONFIG);
    write(&folder, "a.db", "create table t (id integer primary key); insert into t values (1)");
    put_certificate(&folder, "");
    folder
}

fn put_certificate(folder: &Folder, prefix: &str) {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    folder.write(&format!("tls/{prefix}cert.pem"), cert.pem());
    let key = folder.write(&format!("tls/{prefix}key.pem"), signing_key.serialize_pem());
    fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Asks over TLS, trusting a certificate; what comes back, or why nothing does.
fn ask(folder: &Folder, cert: &str, address: &str, path: &str) -> Result<String, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(folder.path().join(cert)).unwrap() {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer may-do-all\r\n\
         connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    // The end may come without a farewell; what came before counts.
    let _ = stream.read_to_string(&mut answer);
    Ok(answer)
}

#[test]
fn an_api_with_a_certificate_speaks_https_and_nothing_else() {
    let folder = certified();
    let process = Process::begin(&folder, "run");
    let line = process.line();
    let address = line.strip_prefix("ready https://").expect("an address of HTTPS").to_owned();
    let answer = ask(&folder, "tls/cert.pem", &address, "/v1/counts/all?at_least=0&wait=30s");
    let answer = answer.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"value\":1"), "{answer}");
    put_certificate(&folder, "other-");
    ask(&folder, "tls/other-cert.pem", &address, "/livez").expect_err("another certificate");
    let mut plain = TcpStream::connect(&address).unwrap();
    plain.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    plain.write_all(b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut said = Vec::new();
    let _ = plain.read_to_end(&mut said);
    assert!(!String::from_utf8_lossy(&said).contains("HTTP/1.1 200"));
    for line in ["status", "counts", "counts all", "failures list"] {
        let asked = folder.run(&format!("--json {line} --url https://{address}"));
        assert_eq!(asked.code, 0, "{line}: {}", asked.out);
    }
    folder.write("other.yaml", CONFIG.replace("tls/", "tls/other-"));
    let asked = format!("--json --config other.yaml status --url https://{address}");
    assert_eq!(folder.run(&asked).code, 4, "whoever answers with another certificate is not asked");
    assert_eq!(folder.run(&format!("status --url http://{address}")).code, 4);
}

#[test]
fn another_certificate_in_the_same_files_is_taken_up_while_it_runs() {
    let folder = certified();
    let process = Process::begin(&folder, "run");
    let line = process.line();
    let address = line.strip_prefix("ready https://").expect("an address of HTTPS").to_owned();
    let is_answered = |cert: &str| {
        ask(&folder, cert, &address, "/livez").is_ok_and(|it| it.starts_with("HTTP/1.1 200"))
    };
    assert!(is_answered("tls/cert.pem"));
    fs::copy(folder.path().join("tls/cert.pem"), folder.path().join("tls/old.pem")).unwrap();
    // One that can not be used changes nothing.
    folder.write("tls/cert.pem", "no certificate");
    until("it is told of", || process.log().contains("the certificate stays as it was"));
    assert!(is_answered("tls/old.pem"));
    put_certificate(&folder, "");
    until("it is taken up", || is_answered("tls/cert.pem"));
    assert!(!is_answered("tls/old.pem"), "the old one is not shown any more");
}

#[test]
fn a_certificate_that_can_not_be_used_is_said_at_the_start() {
    let folder = certified();
    put_certificate(&folder, "other-");
    let of_another = CONFIG.replace("tls/key.pem", "tls/other-key.pem");
    folder.write("instep.yaml", &of_another);
    let ran = folder.run("--json run");
    assert_eq!((ran.code, ran.problems()), (2, vec!["E-TLS-FILES".to_owned()]));
    folder.write("instep.yaml", CONFIG);
    folder.write("tls/cert.pem", "no certificate");
    let ran = folder.run("--json run");
    assert_eq!((ran.code, ran.problems()), (2, vec!["E-TLS-FILES".to_owned()]));
}
