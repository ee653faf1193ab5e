//! TLS towards a broker: whom we trust, and what we show.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::settings::LinkError;
use crate::lang::ExternalBroker;

/// Returns how to shake hands with a broker. Files are relative to `home`.
pub(super) fn config(broker: &ExternalBroker, home: &Path) -> Result<Arc<ClientConfig>, LinkError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| LinkError::Tls(error.to_string()))?;
    let builder = if broker.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder.with_root_certificates(roots(broker, home)?)
    };
    let config = match &broker.certificate {
        None => builder.with_no_client_auth(),
        Some(files) => {
            let chain = certificates(&home.join(&files.certificate))?;
            let path = home.join(&files.key);
            let key = PrivateKeyDer::from_pem_file(&path).map_err(|error| LinkError::file(&path, error))?;
            builder.with_client_auth_cert(chain, key).map_err(|error| LinkError::file(&path, error))?
        }
    };
    Ok(Arc::new(config))
}

fn roots(broker: &ExternalBroker, home: &Path) -> Result<RootCertStore, LinkError> {
    let mut roots = RootCertStore::empty();
    if let Some(file) = &broker.ca {
        let path = home.join(file);
        for certificate in certificates(&path)? {
            roots.add(certificate).map_err(|error| LinkError::file(&path, error))?;
        }
        return Ok(roots);
    }
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, LinkError> {
    let found = CertificateDer::pem_file_iter(path).map_err(|error| LinkError::file(path, error))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| LinkError::file(path, error))?;
    if found.is_empty() {
        return Err(LinkError::File(path.display().to_string(), "there is no certificate in it".to_owned()));
    }
    Ok(found)
}

/// `insecure: true`: takes any certificate, and only checks that whoever shows it has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
