//! The client's end: from settings to a handshake.

use std::rc::Rc;
use std::sync::Arc;

use futures_rustls::TlsConnector;
use futures_rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use futures_rustls::rustls::client::Resumption;
use futures_rustls::rustls::sign::CertifiedKey;
use futures_rustls::rustls::{ClientConfig, RootCertStore};

use super::provider::provider;
use super::stream::{Socket, TlsStream};
use super::verify::{Verifier, Whom};
use super::{Stream, TlsProblem, TrustError, TrustSettings, pem};

/// Sessions to resume, per trust. A handshake less costs a small board 20 ms of its time.
const SESSIONS_MAX: usize = 8;

/// What the operator's files hold.
#[derive(Default)]
pub(super) struct Material {
    authorities: Vec<CertificateDer<'static>>,
    identity: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
    server_name: Option<ServerName<'static>>,
}

impl Material {
    pub(super) fn read(settings: &TrustSettings) -> Result<Self, TrustError> {
        let mut material = Self::default();
        if let Some(path) = &settings.ca_file {
            material.authorities = pem::certificates(path)?;
            for certificate in &material.authorities {
                let added = RootCertStore::empty().add(certificate.clone());
                added.map_err(|error| TrustError::Certificate(path.clone(), error.to_string()))?;
            }
        }
        if let Some((chain, key)) = &settings.client_cert {
            let identity = (pem::certificates(chain)?, pem::key(key)?);
            let (certificates, der) = (identity.0.clone(), identity.1.clone_key());
            CertifiedKey::from_der(certificates, der, &provider())
                .map_err(|error| TrustError::Key(key.clone(), error.to_string()))?;
            material.identity = Some(identity);
        }
        if let Some(name) = &settings.server_name {
            let refused = |_| TrustError::ServerName(name.clone());
            let name = ServerName::try_from(name.clone()).map_err(refused)?;
            material.server_name = Some(name);
        }
        Ok(material)
    }
}

pub(super) struct Connector(TlsConnector);

impl Connector {
    pub(super) fn build(material: &Material, insecure: bool) -> Result<Self, TlsProblem> {
        let verifier = Verifier(whom(material, insecure));
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsProblem::from_rustls(&error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &material.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => builder
                .with_client_auth_cert(chain.clone(), key.clone_key())
                .map_err(|error| TlsProblem::from_rustls(&error))?,
        };
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config).into()))
    }

    pub(super) async fn connect(
        &self,
        material: &Material,
        stream: Rc<Stream>,
        host: String,
    ) -> Result<TlsStream, TlsProblem> {
        let name = match &material.server_name {
            Some(name) => name.clone(),
            None => ServerName::try_from(host.clone()).map_err(|_| TlsProblem::ServerName(host))?,
        };
        let connected = self.0.connect(name, Socket(stream)).await;
        connected
            .map(TlsStream::new)
            .map_err(|error| TlsProblem::from_io(&error))
    }
}

fn whom(material: &Material, insecure: bool) -> Whom {
    if insecure {
        return Whom::Anybody;
    }
    if material.authorities.is_empty() {
        return Whom::System;
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(material.authorities.iter().cloned());
    Whom::Listed {
        roots,
        certificates: material.authorities.clone(),
    }
}
