//! What stands in for TLS when it is not built in: nothing can be read, and nothing connects.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::{Stream, TlsProblem, TrustError, TrustSettings};

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
