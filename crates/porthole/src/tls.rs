//! The server's certificate: made at the first start, replaceable, picked up without a restart.

use anyhow::{Context, Result, bail};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use sha2::{Digest, Sha256};
use std::{
    fs,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Arc, RwLock},
    time::{Duration, SystemTime},
};

/// How often the files are looked at; a symbolic link that is swapped gives no event to wait for.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The certificate in use.
#[derive(Debug)]
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads certificate and key; makes a self-signed pair where neither file exists.
    ///
    /// # Errors
    /// When a file is missing or unreadable, is not PEM, or the two do not belong together.
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Self>> {
        if !certificate.exists() && !key.exists() {
            make_self_signed(certificate, key)?;
        }
        let current = read_pair(certificate, key)?;
        Ok(Arc::new(Self {
            chain_file: certificate.into(),
            key_file: key.into(),
            current: RwLock::new(Arc::new(current)),
        }))
    }

    /// What the TLS listener needs.
    ///
    /// # Errors
    /// When the cryptography library refuses its own defaults.
    pub fn server_config(self: &Arc<Self>) -> Result<ServerConfig> {
        let mut config =
            ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// SHA-256 over the certificate's DER, in hexadecimal, while it is one that nobody but itself
    /// vouches for: what agents pin.
    pub fn pin(&self) -> Option<String> {
        let current = self.pair();
        let own = current.cert.first()?;
        let (_, parsed) = x509_parser::parse_x509_certificate(own).ok()?;
        (parsed.issuer() == parsed.subject()).then(|| fingerprint(own))
    }

    /// Takes changed files into use, for ever. A pair that does not work is reported, and the old
    /// one stays.
    pub async fn follow(self: Arc<Self>) {
        let mut seen = self.changed_at();
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            look.tick().await;
            let now = self.changed_at();
            if now == seen {
                continue;
            }
            seen = now;
            match read_pair(&self.chain_file, &self.key_file) {
                Ok(pair) => {
                    *self
                        .current
                        .write()
                        .unwrap_or_else(std::sync::PoisonError::into_inner) = Arc::new(pair);
                    tracing::info!(file = %self.chain_file.display(), "new certificate in use");
                }
                Err(error) => {
                    tracing::warn!(%error, "the changed certificate does not work; the old one stays in use");
                }
            }
        }
    }

    fn changed_at(&self) -> [Option<SystemTime>; 2] {
        [&self.chain_file, &self.key_file]
            .map(|path| fs::metadata(path).and_then(|file| file.modified()).ok())
    }

    fn pair(&self) -> Arc<CertifiedKey> {
        Arc::clone(
            &self
                .current
                .read()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        )
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.pair())
    }
}

/// SHA-256 over a certificate's DER, in hexadecimal.
fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    hex::encode(Sha256::digest(certificate))
}

/// The certificates in a PEM file, the server's own first.
///
/// # Errors
/// When the file is unreadable or holds none.
pub fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let pem = fs::read(path)
        .with_context(|| format!("cannot read the certificate {}", path.display()))?;
    let chain = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .with_context(|| format!("{} is not a PEM file", path.display()))?;
    if chain.is_empty() {
        bail!(
            "{} holds no certificate; a PEM file with BEGIN CERTIFICATE is expected",
            path.display()
        );
    }
    Ok(chain)
}

/// When a PEM file's first certificate ends.
///
/// # Errors
/// When the file is unreadable or holds no certificate.
pub fn ends(path: &Path) -> Result<time::OffsetDateTime> {
    let chain = read_certificates(path)?;
    let first = chain.first().context("no certificate")?;
    let (_, parsed) = x509_parser::parse_x509_certificate(first).with_context(|| {
        format!(
            "{} holds something that is not an X.509 certificate",
            path.display()
        )
    })?;
    Ok(parsed.validity().not_after.to_datetime())
}

fn read_pair(certificate: &Path, key: &Path) -> Result<CertifiedKey> {
    let chain = read_certificates(certificate)?;
    let pem =
        fs::read(key).with_context(|| format!("cannot read the private key {}", key.display()))?;
    let private = PrivateKeyDer::from_pem_slice(&pem)
        .with_context(|| format!("{} holds no private key in PEM form", key.display()))?;
    CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider()).with_context(|| {
        format!(
            "the key {} does not belong to the certificate {}",
            key.display(),
            certificate.display()
        )
    })
}

fn make_self_signed(certificate: &Path, key: &Path) -> Result<()> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    if let Ok(host) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let host = host.trim();
        if !host.is_empty() && host != "localhost" && host.is_ascii() {
            names.push(host.to_owned());
        }
    }
    let mut params = rcgen::CertificateParams::new(names).context("cannot name the certificate")?;
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "Porthole self-signed");
    params.not_before = time::OffsetDateTime::now_utc() - time::Duration::days(1);
    // Agents pin it, so it must not run out by itself; a certificate of one's own replaces it.
    params.not_after = time::OffsetDateTime::now_utc() + time::Duration::days(3650);
    let pair = rcgen::KeyPair::generate().context("cannot make a key")?;
    let signed = params
        .self_signed(&pair)
        .context("cannot sign the certificate")?;
    write_private(key, pair.serialize_pem().as_bytes())?;
    write_private(certificate, signed.pem().as_bytes())?;
    fs::set_permissions(certificate, fs::Permissions::from_mode(0o644))?;
    tracing::info!(file = %certificate.display(), "made a self-signed certificate; replace it with your own at any time");
    Ok(())
}

/// Writes a file that only its owner reads; whole or not at all.
///
/// # Errors
/// When the folder cannot be made or written.
pub fn write_private(path: &Path, content: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let beside = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("porthole-tls-{}", rand::random::<u64>()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn made_once_then_kept() {
        let folder = folder();
        let (crt, key) = (folder.join("a.crt"), folder.join("a.key"));
        let first = Certificate::open(&crt, &key).unwrap().pin();
        assert_eq!(Certificate::open(&crt, &key).unwrap().pin(), first);
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_foreign_key_is_refused() {
        let folder = folder();
        let (crt, key) = (folder.join("a.crt"), folder.join("a.key"));
        make_self_signed(&crt, &key).unwrap();
        make_self_signed(&folder.join("b.crt"), &key).unwrap();
        let error = Certificate::open(&crt, &key).unwrap_err().to_string();
        assert!(error.contains("does not belong"), "{error}");
        fs::remove_dir_all(folder).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_is_taken_up_and_a_broken_one_is_not() {
        let folder = folder();
        let (crt, key) = (folder.join("a.crt"), folder.join("a.key"));
        let certificate = Certificate::open(&crt, &key).unwrap();
        let first = certificate.pin();
        let follower = tokio::spawn(Arc::clone(&certificate).follow());
        tokio::time::sleep(LOOK_EVERY * 2).await;
        fs::write(&crt, "not a certificate").unwrap();
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_eq!(certificate.pin(), first);
        make_self_signed(&crt, &key).unwrap();
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_ne!(certificate.pin(), first);
        follower.abort();
        fs::remove_dir_all(folder).unwrap();
    }
}
