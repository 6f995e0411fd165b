//! TLS over a connection: asked for in the server's own way, then as strict as it has to be.

use super::certificate;
use super::stream::Stream;
use super::trust::{self, Lenient};
use crate::postgres::access::{Encryption, TlsFiles};
use crate::postgres::trouble::Trouble;
use bytes::BytesMut;
use postgres_protocol::message::frontend;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Encrypts a connection, or leaves it plain if the server has no TLS and need not have it.
pub(super) async fn encrypt(
    mut stream: TcpStream,
    name: &str,
    encryption: Encryption,
    files: &TlsFiles,
) -> Result<Stream, Trouble> {
    let mut request = BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    // Exactly one byte: whatever somebody put behind it was not encrypted.
    match stream.read_u8().await? {
        b'S' => {}
        _ if encryption == Encryption::Prefer => return Ok(Stream::Plain(stream)),
        _ => {
            let what = "the server takes no encrypted connections; `ssl` has to be on there, or \
                        sslmode=disable in the URL, if nobody else can read on the way";
            return Err(Trouble::Tls(what.to_owned()));
        }
    }
    let config = config(encryption, files).await?;
    let name = ServerName::try_from(name.to_owned());
    let name =
        name.map_err(|_| Trouble::Tls("the server's name can be in no certificate".into()))?;
    let connected = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let stream = connected.map_err(judge)?;
    let certificates = stream.get_ref().1.peer_certificates();
    let binding = certificates.and_then(<[_]>::first).and_then(certificate::binding);
    Ok(Stream::Tls { stream: Box::new(stream), binding })
}

/// What the other side did is tried again; what a certificate is wrong about is not.
fn judge(error: io::Error) -> Trouble {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            Trouble::Tls(format!("the server's certificate is refused: {reason}"))
        }
        Some(inner) => Trouble::Tls(format!("encryption could not be agreed upon: {inner}")),
        None => Trouble::Broken(error),
    }
}

async fn config(encryption: Encryption, files: &TlsFiles) -> Result<ClientConfig, Trouble> {
    let provider = Arc::new(default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match encryption {
        Encryption::VerifyFull => strict(files).await?,
        Encryption::VerifyCa => Arc::new(Lenient::about_names(strict(files).await?)),
        // With a file of who may vouch, a certificate is looked at even where it need not be.
        _ if files.root.is_some() => Arc::new(Lenient::about_names(strict(files).await?)),
        _ => Arc::new(Lenient::about_everything(&provider)),
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Trouble::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    match (&files.cert, &files.key) {
        (Some(cert), Some(key)) => {
            let chain = certificates(cert).await?;
            let pem = read(key).await?;
            let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| unusable(key, &error))?;
            let config = builder.with_client_auth_cert(chain, key);
            config.map_err(|error| unusable(cert, &error))
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        _ => Err(Trouble::Tls("sslcert and sslkey belong together: the URL has one".into())),
    }
}

async fn strict(files: &TlsFiles) -> Result<Arc<WebPkiServerVerifier>, Trouble> {
    let mut roots = RootCertStore::empty();
    match &files.root {
        Some(path) => {
            for certificate in certificates(path).await? {
                roots.add(certificate).map_err(|error| unusable(path, &error))?;
            }
        }
        None => roots = trust::of_the_system(),
    }
    if roots.is_empty() {
        let what = "this machine trusts no certificates at all: install `ca-certificates`, or \
                    name a file with sslrootcert";
        return Err(Trouble::Tls(what.to_owned()));
    }
    let provider = Arc::new(default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map_err(|error| Trouble::Tls(error.to_string()))
}

async fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let pem = read(path).await?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| unusable(path, &error))?;
    match certificates.is_empty() {
        true => Err(Trouble::Tls(format!("{}: there is no certificate in it", path.display()))),
        false => Ok(certificates),
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    tokio::fs::read(path).await.map_err(|error| unusable(path, &error))
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> Trouble {
    Trouble::Tls(format!("{}: {error}", path.display()))
}
