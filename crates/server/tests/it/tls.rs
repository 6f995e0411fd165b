//! Encrypted connections, and the files that they are made of.

use crate::client::{Reply, over, request};
use crate::rig::{Rig, Setup};
use instep_server::{Bounds, Certificates, TlsFiles};
use model::Code;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsConnector;

#[tokio::test]
async fn answers_are_encrypted_with_the_certificate_of_the_files() {
    let files = Files::new();
    let rig = encrypted(&files, Bounds::default()).await;
    let reply = ask(rig.at, &files.cert()).await.expect("a reply");
    assert_eq!(reply.status, 200);
    let stranger = made(2096).0;
    assert!(ask(rig.at, &stranger).await.is_err(), "another certificate is not believed");
    let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
    let plain = request(rig.at, "GET", "/livez", &[], "");
    tokio::io::AsyncWriteExt::write_all(&mut stream, plain.as_bytes()).await.expect("sent");
    let answer = crate::client::rest(&mut stream).await;
    assert!(!answer.starts_with(b"HTTP"), "nothing is answered in the clear");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends_its_connection() {
    let files = Files::new();
    let bounds = Bounds { head: Duration::from_millis(200), ..Bounds::default() };
    let rig = encrypted(&files, bounds).await;
    let mut stream = TcpStream::connect(rig.at).await.expect("a connection");
    let began = Instant::now();
    crate::client::rest(&mut stream).await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn changed_files_serve_the_next_connection_and_bad_ones_change_nothing() {
    let files = Files::new();
    let certificate_look = Duration::from_millis(20);
    let certificates = Certificates::load(files.files()).await.expect("good files");
    let bounds = Bounds { certificate_look, ..Bounds::default() };
    let rig = encrypted_with(certificates.clone(), bounds).await;
    let first = files.cert();
    fs::write(files.0.path().join("cert.pem"), "no certificate").expect("written");
    let _ = certificates.reload().await;
    assert!(ask(rig.at, &first).await.is_ok(), "the last good one stays");
    let second = made(2096);
    files.write(&second);
    let began = Instant::now();
    while ask(rig.at, &second.0).await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(10), "it was not read anew");
        sleep(Duration::from_millis(20)).await;
    }
    assert!(ask(rig.at, &first).await.is_err());
}

#[tokio::test]
async fn a_reload_says_whether_something_changed_or_what_is_wrong() {
    let files = Files::new();
    let certificates = Certificates::load(files.files()).await.expect("good files");
    assert!(!certificates.reload().await.expect("good files"));
    files.write(&made(2096));
    assert!(certificates.reload().await.expect("good files"));
    fs::remove_file(files.0.path().join("key.pem")).expect("removed");
    assert_eq!(certificates.reload().await.expect_err("no key").code, Code::TlsFiles);
    let shown = format!("{certificates:?}");
    assert!(!shown.contains("PRIVATE"), "{shown}");
}

#[tokio::test]
async fn files_that_can_not_be_used_are_refused_with_what_is_wrong() {
    let (cert, key) = made(2096);
    let old = made(2001);
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    for (cert, key, said) in [
        ("", key.as_str(), "there is no certificate in it"),
        ("nothing", &key, "there is no certificate in it"),
        (&cert, "", "there is no private key in it"),
        (&cert, &cert, "there is no private key in it"),
        (&cert, locked, "the key has a pass phrase"),
        (&cert, &made(2096).1, "it is no key for"),
        (&old.0, &old.1, "the certificate was valid until 2001-01-01"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            &key,
            "none that can be read",
        ),
    ] {
        let files = Files::new();
        files.write(&(cert.to_owned(), key.to_owned()));
        let fault = Certificates::load(files.files()).await.expect_err(said);
        assert_eq!(fault.code, Code::TlsFiles);
        assert!(fault.what.contains(said) && fault.what.contains(".pem"), "{fault}");
        assert!(!fault.what.contains("PRIVATE KEY"), "{fault}");
    }
    let missing = TlsFiles { cert: "no/such/file.pem".into(), key: "key.pem".into() };
    let fault = Certificates::load(missing).await.expect_err("there is none");
    assert!(fault.what.starts_with("no/such/file.pem: "), "{fault}");
}

/// A certificate and its key, in a folder that goes away with the test.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().expect("a folder"));
        files.write(&made(2096));
        files
    }

    fn files(&self) -> TlsFiles {
        TlsFiles { cert: self.0.path().join("cert.pem"), key: self.0.path().join("key.pem") }
    }

    fn write(&self, (cert, key): &(String, String)) {
        fs::write(self.0.path().join("key.pem"), key).expect("written");
        fs::write(self.0.path().join("cert.pem"), cert).expect("written");
    }

    fn cert(&self) -> String {
        fs::read_to_string(self.0.path().join("cert.pem")).expect("it is there")
    }
}

/// A certificate for localhost until this year, with its key.
fn made(until: i32) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("parameters");
    parameters.not_before = date_time_ymd(2000, 1, 1);
    parameters.not_after = date_time_ymd(until, 1, 1);
    let cert = parameters.self_signed(&key).expect("a certificate");
    (cert.pem(), key.serialize_pem())
}

async fn encrypted(files: &Files, bounds: Bounds) -> Rig {
    encrypted_with(Certificates::load(files.files()).await.expect("good files"), bounds).await
}

async fn encrypted_with(tls: Certificates, bounds: Bounds) -> Rig {
    Rig::with(Setup { runs: false, tls: Some(tls), bounds, ..Setup::default() }).await
}

/// What a client gets that believes this certificate alone.
async fn ask(at: SocketAddr, cert: &str) -> std::io::Result<Reply> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(cert.as_bytes()).expect("PEM")).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TcpStream::connect(at).await?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(over(stream, request(at, "GET", "/livez", &[], "").as_bytes()).await)
}
