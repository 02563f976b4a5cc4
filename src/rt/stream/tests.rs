//! What every kind of stream does alike.

use super::*;
use crate::rt::{Accepted, Listener, run, spawn, tcp_connect};
use std::time::Duration;

/// Each kind of stream, connected.
async fn pairs() -> Vec<(Stream, Stream)> {
    let listener = Listener::bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
    let addr = listener.local_addr().parse().unwrap();
    let client = spawn(async move { tcp_connect(addr, Duration::from_secs(5)).await.unwrap() });
    let Accepted { stream: server, .. } = listener.accept().await;
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    vec![
        Stream::memory(1000),
        (client.await, server),
        (Stream::unix(a).unwrap(), Stream::unix(b).unwrap()),
    ]
}

#[test]
fn a_megabyte_each_way_at_once_with_both_sides_shared() {
    run(async {
        for (a, b) in pairs().await {
            let echo = spawn(async move {
                let mut buf = [0; 700];
                loop {
                    match b.read(&mut buf).await.unwrap() {
                        0 => return,
                        len => b.write_all(&buf[..len]).await.unwrap(),
                    }
                }
            });
            let sent: Vec<u8> = (0..1_000_000_u32)
                .map(|n| n.to_le_bytes()[n as usize % 3])
                .collect();
            let a = std::rc::Rc::new(a);
            let (writer, copy) = (std::rc::Rc::clone(&a), sent.clone());
            let writing = spawn(async move {
                writer.write_all_2(&copy[..10], &copy[10..]).await.unwrap();
                writer.shutdown_write().unwrap();
            });
            let mut received = Vec::new();
            let mut buf = vec![0; 4096];
            loop {
                match a.read(&mut buf).await.unwrap() {
                    0 => break,
                    len => received.extend_from_slice(&buf[..len]),
                }
            }
            assert!(received == sent);
            writing.await;
            echo.await;
        }
    });
}

#[test]
fn try_read_and_try_write_never_wait() {
    run(async {
        for (a, b) in pairs().await {
            a.set_send_buffer(4096).unwrap();
            a.set_nodelay(true).unwrap();
            assert_eq!(
                b.try_read(&mut [0; 8]).unwrap_err().kind(),
                ErrorKind::WouldBlock
            );
            let full = loop {
                if let Err(error) = a.try_write(&[7; 65536]) {
                    break error;
                }
            };
            assert_eq!(full.kind(), ErrorKind::WouldBlock);
            b.read(&mut [0; 8]).await.unwrap();
        }
    });
}

#[test]
fn quiet_until_the_peer_sends_or_goes() {
    run(async {
        // Memory has nobody who could go unseen.
        for (a, b) in pairs().await.into_iter().skip(1) {
            assert!(a.is_quiet());
            b.write_all(b"x").await.unwrap();
            assert!(!a.is_quiet());
            a.read(&mut [0; 8]).await.unwrap();
            assert!(a.is_quiet());
            drop(b);
            assert!(!a.is_quiet());
        }
    });
}

#[test]
fn a_closed_peer_is_an_end_and_then_an_error() {
    run(async {
        for (a, b) in pairs().await {
            drop(b);
            assert_eq!(a.read(&mut [0; 8]).await.unwrap(), 0);
            let error = loop {
                if let Err(error) = a.write_all(&[1; 100]).await {
                    break error;
                }
            };
            assert!(
                matches!(
                    error.kind(),
                    ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
                ),
                "{error}"
            );
        }
    });
}

#[test]
fn a_peer_that_only_stops_writing_breaks_nothing() {
    run(async {
        for (a, b) in pairs().await {
            b.shutdown_write().unwrap();
            assert_eq!(a.read(&mut [0; 8]).await.unwrap(), 0);
            assert!(!a.is_broken());
            a.write_all(b"still").await.unwrap();
            let mut buf = [0; 8];
            assert_eq!(b.read(&mut buf).await.unwrap(), 5);
            assert!(!a.is_broken());
            drop(b);
            // On TCP it shows in answer to what is written now.
            _ = a.try_write(b"gone");
            while !a.is_broken() {
                crate::rt::yield_now().await;
            }
        }
    });
}

#[test]
fn memory_is_bounded_and_reports_who_it_is() {
    let (a, b) = Stream::memory(4);
    assert_eq!(a.try_write(b"123456").unwrap(), 4);
    assert_eq!(a.try_write(b"5").unwrap_err().kind(), ErrorKind::WouldBlock);
    let mut buf = [0; 3];
    assert_eq!(b.try_read(&mut buf).unwrap(), 3);
    let parts = [IoSlice::new(b"56"), IoSlice::new(b"78")];
    assert_eq!(a.try_write_vectored(&parts).unwrap(), 3);
    assert_eq!(a.peer().unwrap(), Peer::Memory);
    a.shutdown_write().unwrap();
    assert_eq!(a.try_write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn a_stream_is_small() {
    assert!(size_of::<Stream>() <= 24, "{} bytes", size_of::<Stream>());
}
