//! Whoever sends without end has its turn, and so have the others.

use super::*;

const ASK: &[u8] = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// `busy` has come when somebody else asks once: how much of it is answered when that one is?
async fn answered_before(door: &Door, busy: &[u8]) -> usize {
    let (greedy, modest) = (
        door.connect("192.0.2.1:1000"),
        door.connect("192.0.2.2:1000"),
    );
    greedy.write_all(busy).await.unwrap();
    modest.write_all(ASK).await.unwrap();
    let mut buf = vec![0; PIPE_BYTES];
    // A task, as connections are: it has its turn among them.
    let counting = rt::spawn(async move {
        assert!(modest.read(&mut buf).await.unwrap() > 0);
        let len = greedy.try_read(&mut buf).unwrap_or(0);
        let text = std::str::from_utf8(&buf[..len]).unwrap();
        text.matches("HTTP/1.1 ").count()
    });
    counting.await
}

#[test]
fn a_hundred_requests_at_once_are_answered_one_in_a_turn() {
    at_the_door(Settings::default(), async |door| {
        let answered = answered_before(&door, &ASK.repeat(100)).await;
        assert!((1..=4).contains(&answered), "{answered} of 100");
    });
}

#[test]
fn a_large_body_is_read_in_several_turns() {
    at_the_door(Settings::default(), async |door| {
        let head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
            Content-Length: 200000\r\n\r\n";
        let busy = [head.as_bytes(), &[b' '; 200_000]].concat();
        assert_eq!(answered_before(&door, &busy).await, 0);
    });
}
