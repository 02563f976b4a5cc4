//! A new connection.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::{Builder, SendRequest};

use crate::rt::{self, Task};

use super::error::{ClientError, Phase};
use super::io::Io;
use super::route::Route;
use super::url::{Scheme, Url};
use super::{HEAD_BYTES_MAX, HEADERS_MAX, TlsProblem};

/// A connection that hyper drives. Dropping it closes it.
pub(super) struct Conn {
    pub(super) sender: SendRequest<Full<Bytes>>,
    pub(super) _task: Task<()>,
}

pub(super) async fn connect(url: &Url, route: &Route) -> Result<Conn, ClientError> {
    let origin = url.origin();
    if url.scheme() == Scheme::Https {
        return Err(ClientError::Tls {
            origin,
            problem: TlsProblem::NotBuiltIn,
        });
    }
    let lookup = rt::resolve(url.host(), url.port()).await;
    let addrs = lookup.map_err(|error| ClientError::Lookup {
        origin: origin.clone(),
        text: error.to_string(),
    })?;
    let stream = rt::tcp_connect(addrs[0], route.timeouts.connect).await;
    let stream = stream.map_err(|error| match error.kind() {
        std::io::ErrorKind::TimedOut => ClientError::Timeout {
            origin: origin.clone(),
            phase: Phase::Connect,
            limit: super::Limit::Connect,
            after: route.timeouts.connect,
        },
        std::io::ErrorKind::ConnectionRefused => ClientError::Refused {
            origin: origin.clone(),
            address: addrs[0],
        },
        _ => ClientError::Connect {
            origin: origin.clone(),
            text: error.to_string(),
        },
    })?;
    let (sender, connection) = Builder::new()
        .max_headers(HEADERS_MAX)
        .max_header_size(HEAD_BYTES_MAX)
        .max_buf_size(2 * HEAD_BYTES_MAX)
        .handshake(Io(stream))
        .await
        .map_err(|_| ClientError::Closed { origin })?;
    let task = rt::spawn(async move { drop(connection.await) });
    Ok(Conn {
        sender,
        _task: task,
    })
}
