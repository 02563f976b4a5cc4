//! What waits for peers, all together: bodies that have not come whole or are being worked on, and what was written or
//! queued and is not read.
//!
//! Each body, queue and response has a limit of its own, but there may be as many as there are connections. So whoever
//! holds bytes for a peer says how many, and `limits.waiting_total_bytes` bounds their sum in either direction: beyond
//! it large bodies and requests that mean work are asked to come again. What is small goes on.
//!
//! One sum per thread: there is one thread for all of it, and memory belongs to the process.

use std::cell::Cell;

thread_local! {
    static COMING: Cell<usize> = const { Cell::new(0) };
    static GOING: Cell<usize> = const { Cell::new(0) };
}

/// Bytes that one holder has in memory for its peer; none of them count any more when it is dropped.
#[derive(Debug)]
pub struct Held {
    direction: Direction,
    bytes: usize,
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Coming,
    Going,
}

impl Held {
    /// Nothing yet, of what a peer sends.
    pub const fn coming() -> Held {
        Held {
            direction: Direction::Coming,
            bytes: 0,
        }
    }

    /// Nothing yet, of what a peer is to read.
    pub const fn going() -> Held {
        Held {
            direction: Direction::Going,
            bytes: 0,
        }
    }

    /// Says how many there are now.
    pub fn set(&mut self, bytes: usize) {
        if bytes != self.bytes {
            self.direction.add_less(bytes, self.bytes);
            self.bytes = bytes;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}

impl Direction {
    fn add_less(self, more: usize, less: usize) {
        let change = |sum: &Cell<usize>| sum.set((sum.get() + more).saturating_sub(less));
        // The thread may be ending; then nobody asks any more.
        _ = match self {
            Direction::Coming => COMING.try_with(change),
            Direction::Going => GOING.try_with(change),
        };
    }
}

/// Bytes of bodies, in all connections.
pub fn coming_bytes() -> usize {
    COMING.get()
}

/// Bytes that are not read, in all queues and responses.
pub fn going_bytes() -> usize {
    GOING.get()
}

/// More, or less, in a queue that counts its own.
pub(super) fn queued(more: usize, less: usize) {
    Direction::Going.add_less(more, less);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_counted_until_it_is_dropped() {
        let before = (coming_bytes(), going_bytes());
        let (mut body, mut answer) = (Held::coming(), Held::going());
        body.set(10);
        body.set(7);
        answer.set(5);
        queued(3, 0);
        assert_eq!(
            (coming_bytes(), going_bytes()),
            (before.0 + 7, before.1 + 8)
        );
        queued(0, 3);
        drop((body, answer));
        assert_eq!((coming_bytes(), going_bytes()), before);
    }
}
