//! What readiness must not forget, and whom it must not wake.

use std::future::poll_fn;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::*;
use crate::rt::{run, spawn, yield_now};

fn pair() -> (Watched<UnixStream>, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    (Watched::new(ours).unwrap(), theirs)
}

async fn readable(watched: &Watched<UnixStream>) {
    poll_fn(|cx| watched.poll_ready(Towards::Reading, cx)).await;
}

#[test]
fn a_reader_is_woken_by_bytes_and_by_the_end() {
    run(async {
        let (ours, mut theirs) = pair();
        ours.set_drained(Towards::Reading);
        let mut buf = [0; 8];
        theirs.write_all(b"a").unwrap();
        readable(&ours).await;
        assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 1);
        ours.set_drained(Towards::Reading);
        drop(theirs);
        readable(&ours).await;
        assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 0);
        // The end is reported once and remembered for ever.
        ours.set_drained(Towards::Reading);
        readable(&ours).await;
    });
}

#[test]
fn an_end_that_comes_with_bytes_is_not_forgotten() {
    run(async {
        let (ours, mut theirs) = pair();
        theirs.write_all(b"a").unwrap();
        drop(theirs);
        ours.set_drained(Towards::Reading);
        readable(&ours).await;
        assert_eq!(ours.get_ref().read(&mut [0; 8]).unwrap(), 1);
        ours.set_drained(Towards::Reading);
        assert!(ours.is_ready(Towards::Reading));
    });
}

#[test]
fn who_would_block_waits_even_after_an_end_that_was_none() {
    run(async {
        let (ours, mut theirs) = pair();
        let reactor = Rc::clone(&ours.reactor);
        let end = EventFlags::IN | EventFlags::RDHUP;
        _ = reactor.sources.borrow_mut()[ours.key as usize].take_event(end);
        assert!(ours.is_ready(Towards::Reading));
        let error = ours.get_ref().read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        ours.set_not_ready(Towards::Reading);
        assert!(!ours.is_ready(Towards::Reading));
        theirs.write_all(b"a").unwrap();
        readable(&ours).await;
    });
}

#[test]
fn what_comes_after_a_read_and_before_the_wait_is_reported() {
    run(async {
        let (ours, mut theirs) = pair();
        let mut buf = [0; 8];
        for _ in 0..10 {
            theirs.write_all(b"a").unwrap();
            readable(&ours).await;
            assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 1);
            // Between the call and what is remembered of it.
            theirs.write_all(b"b").unwrap();
            ours.set_drained(Towards::Reading);
            readable(&ours).await;
            assert_eq!(ours.get_ref().read(&mut buf).unwrap(), 1);
            ours.set_not_ready(Towards::Reading);
        }
    });
}

#[test]
fn a_socket_that_somebody_else_has_too_is_not_heard_of_any_more() {
    run(async {
        let (ours, mut theirs) = pair();
        let kept = ours.get_ref().try_clone().unwrap();
        let (key, reactor) = (ours.key, Rc::clone(&ours.reactor));
        drop(ours);
        let (next, _other) = pair();
        assert_eq!(next.key, key, "the place is taken again");
        // Its events of being writable.
        reactor.wait(Some(&AT_ONCE));
        next.set_not_ready(Towards::Reading);
        next.set_not_ready(Towards::Writing);
        theirs.write_all(b"a").unwrap();
        drop(theirs);
        reactor.wait(Some(&AT_ONCE));
        assert!(!next.is_ready(Towards::Reading) && !next.is_ready(Towards::Writing));
        drop(kept);
    });
}

#[test]
fn a_broken_connection_wakes_reader_and_writer() {
    run(async {
        let (ours, theirs) = pair();
        let piece = [0; 64 * 1024];
        while ours.get_ref().write(&piece).is_ok() {}
        ours.set_not_ready(Towards::Writing);
        ours.set_not_ready(Towards::Reading);
        let ours = Rc::new(ours);
        let reader = Rc::clone(&ours);
        let reading = spawn(async move { readable(&reader).await });
        yield_now().await;
        // With bytes that it has not read: a reset.
        drop(theirs);
        reading.await;
        poll_fn(|cx| ours.poll_ready(Towards::Writing, cx)).await;
        assert!(ours.get_ref().write(&piece).is_err());
    });
}

#[test]
fn several_events_at_once_are_told_from_one() {
    run(async {
        let (ours, mut theirs) = pair();
        let (other, mut others) = pair();
        let reactor = Rc::clone(&ours.reactor);
        // Both are writable.
        reactor.wait(Some(&AT_ONCE));
        assert!(reactor.is_busy());
        theirs.write_all(b"a").unwrap();
        reactor.wait(Some(&AT_ONCE));
        assert!(!reactor.is_busy());
        theirs.write_all(b"a").unwrap();
        others.write_all(b"a").unwrap();
        reactor.wait(Some(&AT_ONCE));
        assert!(reactor.is_busy());
        drop(other);
    });
}

#[test]
fn a_task_that_is_always_ready_does_not_keep_events_away() {
    run(async {
        let (ours, mut theirs) = pair();
        ours.set_not_ready(Towards::Reading);
        let busy = spawn(async {
            loop {
                yield_now().await;
            }
        });
        theirs.write_all(b"a").unwrap();
        readable(&ours).await;
        drop(busy);
    });
}

#[test]
fn a_writer_is_woken_when_there_is_room() {
    run(async {
        let (ours, mut theirs) = pair();
        let piece = [0; 64 * 1024];
        let mut sent = 0;
        while let Ok(count) = ours.get_ref().write(&piece) {
            sent += count;
        }
        ours.set_not_ready(Towards::Writing);
        let mut buf = vec![0; sent];
        theirs.read_exact(&mut buf).unwrap();
        poll_fn(|cx| ours.poll_ready(Towards::Writing, cx)).await;
        assert!(ours.get_ref().write(&piece).unwrap() > 0);
    });
}

#[test]
fn other_threads_wake_this_one() {
    run(async {
        let (ours, theirs) = pair();
        ours.set_not_ready(Towards::Reading);
        let (sender, receiver) = smol::channel::bounded(1);
        for number in 0..100 {
            let sender = sender.clone();
            let thread = std::thread::spawn(move || {
                if number % 10 == 0 {
                    // Late enough to find the other asleep.
                    std::thread::sleep(Duration::from_millis(2));
                }
                sender.send_blocking(number).unwrap();
            });
            assert_eq!(receiver.recv().await, Ok(number));
            thread.join().unwrap();
        }
        drop(theirs);
    });
}

#[test]
fn a_source_that_is_dropped_gives_its_place_back_and_wakes_nobody() {
    run(async {
        let (ours, theirs) = pair();
        let reactor = Rc::clone(&ours.reactor);
        let before = reactor.sources.borrow().len();
        let woken = Rc::new(Cell::new(false));
        let flag = Rc::clone(&woken);
        ours.set_not_ready(Towards::Reading);
        let task = spawn(async move {
            readable(&ours).await;
            flag.set(true);
        });
        yield_now().await;
        drop(theirs);
        drop(task);
        yield_now().await;
        assert!(!woken.get());
        assert_eq!(reactor.sources.borrow().len(), before - 1);
    });
}

#[test]
fn a_source_is_small() {
    assert!(size_of::<Source>() <= 48, "{} bytes", size_of::<Source>());
}
