//! TLS.

use std::fmt;
use std::io;
use std::sync::Arc;

use syncline_core::{Error, Result};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_rustls::server::TlsStream;

/// The certificate with which a hub proves who it is, and its key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
enum TlsError {
    #[error("the certificate is not PEM (`BEGIN CERTIFICATE`); give the file with the whole chain")]
    Certificate,
    #[error("the key is not PEM (`BEGIN PRIVATE KEY`); give the file with the key")]
    Key,
    #[error("the certificate and the key cannot be used; see whether they belong together")]
    Pair(#[source] rustls::Error),
}

impl From<TlsError> for Error {
    fn from(error: TlsError) -> Self {
        Self::invalid(error.to_string()).caused_by(error)
    }
}

impl Tls {
    /// The chain of certificates, the hub's own first, and the key, both as PEM.
    ///
    /// # Errors
    ///
    /// [`Invalid`](syncline_core::ErrorKind::Invalid) if they are something else, or do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self> {
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
            .collect::<Result<_, _>>()
            .map_err(|_| TlsError::Certificate)?;
        if chain.is_empty() {
            return Err(TlsError::Certificate.into());
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
        let mut config = ServerConfig::builder_with_provider(aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Pair)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Pair)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}
