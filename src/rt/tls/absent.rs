//! What stands in for TLS when it is not built in: nothing can be read, and nothing connects.

use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{
    AcceptorFile, AcceptorSettings, PeerCertificate, Refused, Stream, TlsProblem, TrustError,
    TrustSettings,
};

#[derive(Default)]
pub(super) struct Material {}

impl Material {
    pub(super) fn read(_settings: &TrustSettings) -> Result<Self, TrustError> {
        Ok(Self {})
    }
}

pub(super) enum Connector {}

impl Connector {
    pub(super) fn build(_material: &Material, _insecure: bool) -> Result<Self, TlsProblem> {
        Err(TlsProblem::NotBuiltIn)
    }

    pub(super) async fn connect(
        &self,
        _material: &Material,
        _stream: Rc<Stream>,
        _host: String,
    ) -> Result<TlsStream, TlsProblem> {
        match *self {}
    }
}

/// A connection that cannot come about in this build.
pub enum TlsStream {}

impl TlsStream {
    /// Never called.
    pub fn poll_read(&mut self, _cx: &mut Context<'_>, _buf: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    /// Never called.
    pub fn poll_write(&mut self, _cx: &mut Context<'_>, _bytes: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    /// Never called.
    pub fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }

    /// Never called.
    pub fn poll_close(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

/// What no files can make in this build.
#[derive(Clone)]
pub enum Acceptor {}

impl Acceptor {
    /// Refuses.
    ///
    /// # Errors
    /// Always.
    pub fn new(_settings: &AcceptorSettings) -> Result<Self, (AcceptorFile, TrustError)> {
        Err((AcceptorFile::Cert, TrustError::NotBuiltIn))
    }

    /// Never called.
    ///
    /// # Errors
    /// Never.
    pub async fn accept(&self, _stream: Stream) -> Result<Stream, Refused> {
        match *self {}
    }
}

/// The end of a connection that cannot come about in this build.
pub enum ServerEnd {}

impl ServerEnd {
    pub(in crate::rt) const fn socket(&self) -> &Stream {
        match *self {}
    }

    pub(in crate::rt) const fn peer_certificate(&self) -> Option<&PeerCertificate> {
        match *self {}
    }

    pub(in crate::rt) fn try_read(&self, _buf: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(in crate::rt) fn try_write_vectored(&self, _parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(in crate::rt) fn poll_readable(&self, _cx: &mut Context<'_>) -> Poll<()> {
        match *self {}
    }

    pub(in crate::rt) fn shutdown_write(&self) -> io::Result<()> {
        match *self {}
    }
}
