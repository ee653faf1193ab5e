//! TLS in front of a listener: its certificate, and those that it asks clients for.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use webpki::EndEntityCert;

use super::subject;

/// The files of a listener with TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate, and those that lead from it to its authority.
    pub certificate: PathBuf,
    /// The certificate's key.
    pub key: PathBuf,
    /// The authorities whose certificates clients must show; `None`: none need be shown.
    pub client_ca: Option<PathBuf>,
}

/// Why a listener can't have TLS.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file can't be read.
    #[error("`{path}` can't be read: {error}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file isn't what it should be.
    #[error("`{path}`: {problem}", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

/// Lets clients in by TLS. Its files may change while it does.
pub struct TlsGate {
    files: TlsFiles,
    acceptor: Mutex<TlsAcceptor>,
}

impl TlsGate {
    /// Reads the files.
    ///
    /// # Errors
    /// When one can't be read, or isn't what it should be.
    pub fn open(files: TlsFiles) -> Result<TlsGate, TlsError> {
        let acceptor = Mutex::new(acceptor(&files)?);
        Ok(TlsGate { files, acceptor })
    }

    /// Reads the files again: from now on clients get what is in them. Who is connected stays.
    ///
    /// # Errors
    /// As [`TlsGate::open`]; then all stays as it was.
    pub fn reload(&self) -> Result<(), TlsError> {
        let acceptor = acceptor(&self.files)?;
        *self.acceptor.lock().unwrap_or_else(PoisonError::into_inner) = acceptor;
        Ok(())
    }

    /// Returns the files that it reads.
    #[must_use]
    pub fn files(&self) -> &TlsFiles {
        &self.files
    }

    /// Shakes hands with the client at the other end of `stream`. Give it a time limit.
    ///
    /// # Errors
    /// When the client speaks something else, or its certificate is missing or wrong.
    pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<TlsStream<S>> {
        let acceptor = self.acceptor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        acceptor.accept(stream).await
    }
}

/// Returns the common name (CN) in the client's certificate; `None` when it showed none, or its name can't be a user.
#[must_use]
pub fn common_name<S>(stream: &TlsStream<S>) -> Option<String> {
    let (_, connection) = stream.get_ref();
    let certificate = connection.peer_certificates()?.first()?;
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    subject::common_name(certificate.subject())
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| broken(&files.certificate, error.to_string()))?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                roots.add(authority).map_err(|error| broken(path, format!("no authority's certificate: {error}")))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| broken(path, error.to_string()))?)
        }
    };
    let chain = certificates(&files.certificate)?;
    let config = builder.with_single_cert(chain, key(&files.key)?);
    let config = config.map_err(|error| {
        let certificate = files.certificate.display();
        broken(&files.key, format!("the key doesn't fit the certificate in `{certificate}`: {error}"))
    })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    let certificates = certificates.map_err(|error| broken(path, format!("not PEM: {error}")))?;
    if certificates.is_empty() {
        return Err(broken(path, "there is no certificate in it (`-----BEGIN CERTIFICATE-----`)".to_owned()));
    }
    Ok(certificates)
}

fn key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let text = read(path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        let is_encrypted = text.windows(9).any(|window| window == b"ENCRYPTED");
        let problem = if is_encrypted {
            "the key is protected by a password; write one without: `openssl pkey -in KEY -out NEW`"
        } else {
            "there is no private key in it (`-----BEGIN PRIVATE KEY-----`)"
        };
        broken(path, problem.to_owned())
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| TlsError::Unreadable { path: path.to_owned(), error })
}

fn broken(path: &Path, problem: String) -> TlsError {
    TlsError::Broken { path: path.to_owned(), problem }
}
