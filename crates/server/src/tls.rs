//! TLS: with what connections are encrypted, from two files that are read anew when they change.

mod validity;

use crate::clock;
use aws_lc_rs::digest::{Context, SHA256};
use model::{Code, Fault};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;
use validity::Validity;

/// Where the certificate chain and its key are, each in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and behind it those that vouch for it.
    pub cert: PathBuf,
    /// Its private key, without a pass phrase.
    pub key: PathBuf,
}

/// With what connections are encrypted; clones are the same.
#[derive(Clone)]
pub struct Certificates(Arc<Shared>);

struct Shared {
    files: TlsFiles,
    loaded: Mutex<Loaded>,
}

struct Loaded {
    config: Arc<ServerConfig>,
    days: i64,
    /// Of the files' bytes, so that what has not changed is not judged again, good or bad.
    digest: Vec<u8>,
}

impl Certificates {
    /// Reads the files, and checks that they belong together and are valid now.
    pub async fn load(files: TlsFiles) -> Result<Self, Fault> {
        let read = Read::of(&files).await?;
        let (config, days) = read.config(&files)?;
        let loaded = Loaded { config, days, digest: read.digest() };
        Ok(Self(Arc::new(Shared { files, loaded: Mutex::new(loaded) })))
    }

    /// Reads the files again, and whether they have changed. New connections get what they say;
    /// what cannot be used is a fault, and everything stays as it is.
    pub async fn reload(&self) -> Result<bool, Fault> {
        let files = &self.0.files;
        let read = Read::of(files).await?;
        let digest = read.digest();
        if self.locked().digest == digest {
            return Ok(false);
        }
        let config = read.config(files);
        let mut loaded = self.locked();
        loaded.digest = digest;
        (loaded.config, loaded.days) = config?;
        Ok(true)
    }

    /// Reads the files again whenever they have changed.
    pub(crate) async fn keep_fresh(&self, look: Duration) {
        loop {
            sleep(look).await;
            match self.reload().await {
                Ok(true) => tracing::info!("the certificate was read anew"),
                Ok(false) => {}
                Err(fault) => tracing::warn!(error = %fault, "the certificate stays as it was"),
            }
        }
    }

    /// For how many days the certificate was still valid when it was read.
    pub fn days(&self) -> i64 {
        self.locked().days
    }

    /// What the next connection is encrypted with.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.locked().config.clone()
    }

    fn locked(&self) -> MutexGuard<'_, Loaded> {
        self.0.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificates").field("files", &self.0.files).finish_non_exhaustive()
    }
}

/// What stands in the two files.
struct Read {
    cert: Vec<u8>,
    key: Vec<u8>,
}

impl Read {
    async fn of(files: &TlsFiles) -> Result<Self, Fault> {
        Ok(Self { cert: read(&files.cert).await?, key: read(&files.key).await? })
    }

    fn digest(&self) -> Vec<u8> {
        let mut context = Context::new(&SHA256);
        context.update(&(self.cert.len() as u64).to_be_bytes());
        context.update(&self.cert);
        context.update(&self.key);
        context.finish().as_ref().to_vec()
    }

    fn config(&self, files: &TlsFiles) -> Result<(Arc<ServerConfig>, i64), Fault> {
        let wrong = |path: &Path, what: &str| {
            Fault::stop(Code::TlsFiles, format!("{}: {what}", path.display()))
        };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.cert).collect();
        let chain = chain.map_err(|error| wrong(&files.cert, &error.to_string()))?;
        let Some(first) = chain.first() else {
            return Err(wrong(&files.cert, "there is no certificate in it"));
        };
        let days = check_validity(first).map_err(|what| wrong(&files.cert, &what))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|error| {
            let is_locked = self.key.windows(9).any(|word| word == b"ENCRYPTED");
            match error {
                _ if is_locked => wrong(&files.key, "the key has a pass phrase"),
                PemError::NoItemsFound => wrong(&files.key, "there is no private key in it"),
                error => wrong(&files.key, &error.to_string()),
            }
        })?;
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()));
        let builder = builder.with_safe_default_protocol_versions();
        let config = builder.and_then(|it| it.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| {
            wrong(&files.key, &format!("it is no key for {}: {error}", files.cert.display()))
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((Arc::new(config), days))
    }
}

async fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    tokio::fs::read(path).await.map_err(|error| {
        Fault::stop(Code::TlsFiles, format!("{}: {error}", path.display())).because(error)
    })
}

/// How long before its end a certificate is warned of.
pub const WARN_DAYS: i64 = 30;

/// For how many days it is still valid.
fn check_validity(certificate: &[u8]) -> Result<i64, String> {
    let Some(Validity { from, until }) = validity::of(certificate) else {
        return Err("the certificate is none that can be read".to_owned());
    };
    let now = clock::now() / 1_000_000;
    if now < from {
        return Err(format!("the certificate is not valid before {}", validity::shown(from)));
    }
    if now > until {
        return Err(format!("the certificate was valid until {}", validity::shown(until)));
    }
    let days = (until - now) / 86_400;
    if days < WARN_DAYS {
        tracing::warn!(days, "the certificate of the API ends soon");
    }
    Ok(days)
}
