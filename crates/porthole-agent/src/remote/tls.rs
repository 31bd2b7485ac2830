//! Whom the agent believes: the system's authorities, given ones, or one certificate.

use super::RemoteError;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

pub(super) fn config(
    ca_pem: Option<&[u8]>,
    fingerprint: Option<[u8; 32]>,
) -> Result<ClientConfig, RemoteError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| RemoteError::Tls(error.to_string()))?;
    let builder = match (ca_pem, fingerprint) {
        (Some(pem), _) => builder.with_root_certificates(given(pem)?),
        (None, Some(fingerprint)) => {
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Pinned {
                    fingerprint,
                    provider,
                }))
        }
        (None, None) => builder.with_root_certificates(system()?),
    };
    let mut config = builder.with_no_client_auth();
    // A WebSocket is opened by HTTP/1.1's upgrade here.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn given(pem: &[u8]) -> Result<RootCertStore, RemoteError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| RemoteError::Ca(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| RemoteError::Ca(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(RemoteError::Ca("there is no certificate in it".to_owned()));
    }
    Ok(roots)
}

fn system() -> Result<RootCertStore, RemoteError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(RemoteError::Tls(
            "the system has no trusted certificates".to_owned(),
        ));
    }
    Ok(roots)
}

/// Believes one certificate, by its fingerprint, whatever name or time is in it: the token came
/// from the server itself.
#[derive(Debug)]
struct Pinned {
    fingerprint: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found: [u8; 32] = Sha256::digest(end_entity).into();
        if found == self.fingerprint {
            return Ok(ServerCertVerified::assertion());
        }
        Err(Error::General(
            "the server's certificate is not the one in the agent's token; if it was replaced, \
             give this agent a new token, or the authority with --ca"
                .to_owned(),
        ))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ca_file_without_certificates_is_refused() {
        assert!(matches!(
            config(Some(b"nothing"), None),
            Err(RemoteError::Ca(_))
        ));
        assert!(config(None, Some([0; 32])).is_ok());
    }
}
