//! TLS before HTTP: a connection on an encrypted listener, until it has shaken hands.
//!
//! It has its place already and is a newcomer like any other: it may be evicted, and `timeout.head` ends it. A client
//! that speaks plain HTTP is told so in plain HTTP.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use crate::log::escape;
use crate::metrics::Close;
use crate::rt::shutdown::Phase;
use crate::rt::tls::{Acceptor, Refusal, Refused};
use crate::rt::{Peer, Stream};

use super::connection::Connection;
use super::http::{Http, SiteCell};
use super::places::Admission;

impl Http {
    /// Shakes hands and then serves, to the connection's end.
    pub(super) async fn shake_hands_and_serve(
        self: Rc<Self>,
        acceptor: Acceptor,
        site: SiteCell,
        stream: Stream,
        peer: Peer,
        admission: Admission,
    ) {
        let guard = self.server.metrics.connection_opened();
        let accepted = match self.shake_hands(&acceptor, stream, &admission).await {
            Ok(accepted) => accepted,
            Err(reason) => return guard.close(reason),
        };
        match accepted {
            Ok(stream) => {
                // Boxed: the state of a handshake and that of a connection are not needed at once.
                let connection = Connection::new(self, site, stream, peer.ip(), admission);
                Box::pin(connection.run(guard)).await;
            }
            Err(Refused { stream, why }) => {
                // No louder: whoever scans the network would fill the log.
                log::debug!("no TLS with {}: {why}", escape(&peer.to_string()));
                let mut connection = Connection::new(self, site, stream, peer.ip(), admission);
                match why {
                    Refusal::PlainHttp => {
                        let text = "this port speaks TLS: ask with `https`";
                        Box::pin(connection.refuse_and_linger(400, text)).await;
                    }
                    // The alert is on its way, and what lies unread would cut it off.
                    Refusal::Failed(_) => Box::pin(connection.linger()).await,
                    Refusal::Closed | Refusal::NotTls | Refusal::TooLong => (),
                }
                guard.close(Close::TlsHandshake);
            }
        }
    }

    /// The outcome of the handshake, or why it was not waited for.
    async fn shake_hands(
        &self,
        acceptor: &Acceptor,
        stream: Stream,
        admission: &Admission,
    ) -> Result<Result<Stream, Refused>, Close> {
        let deadline = self.server.deadlines.slot();
        deadline.set(self.settings().head_timeout);
        let mut accepting = pin!(acceptor.accept(stream));
        let mut stop = pin!(self.shutdown.wait(Phase::Graceful));
        poll_fn(|cx| {
            // First: its place has been given to another.
            if admission.newcomer.poll_evicted(cx).is_ready() {
                return Poll::Ready(Err(Close::Evicted));
            }
            if let Poll::Ready(accepted) = accepting.as_mut().poll(cx) {
                return Poll::Ready(Ok(accepted));
            }
            if deadline.poll_expired(cx).is_ready() {
                return Poll::Ready(Err(Close::HeadTimeout));
            }
            stop.as_mut().poll(cx).map(|()| Err(Close::Shutdown))
        })
        .await
    }
}
