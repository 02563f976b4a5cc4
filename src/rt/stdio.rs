//! Standard input as lines, standard output as a queue of writes; neither ever blocks the executor.
//!
//! Each end has a helper thread with blocking calls behind a bounded queue. The alternative, `O_NONBLOCK`, belongs to
//! the open file and not to the descriptor: it would change the terminal or pipe under the parent process too.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd as _;

use smol::channel::{Receiver, Sender, bounded};

use super::lines::{Line, LineSplitter};
use super::thread;

/// Lines read ahead. Few, because each may be as long as the limit.
const LINES_AHEAD_MAX: usize = 4;

/// Writes waiting for a slow reader of standard output; the next one waits.
const WRITES_AHEAD_MAX: usize = 8;

const READ_BYTES: usize = 16 * 1024;

/// Lines of standard input.
pub struct Input {
    lines: Receiver<io::Result<Line>>,
}

impl Input {
    /// Starts reading standard input, in lines of at most `line_bytes_max` bytes.
    ///
    /// # Errors
    /// The system's, when it has no descriptor or no thread left.
    pub fn stdin(line_bytes_max: usize) -> io::Result<Self> {
        // A descriptor of its own: the standard library's handle is locked while it reads.
        let stdin = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Self::new(stdin, line_bytes_max)
    }

    fn new(source: impl Read + Send + 'static, line_bytes_max: usize) -> io::Result<Self> {
        let (sender, lines) = bounded(LINES_AHEAD_MAX);
        thread::start("stdin", move || read_lines(source, line_bytes_max, &sender))?;
        Ok(Self { lines })
    }

    /// The next line; `None` at the end of the input.
    ///
    /// # Errors
    /// The system's, once; the input is at its end then.
    pub async fn next(&self) -> Option<io::Result<Line>> {
        self.lines.recv().await.ok()
    }
}

fn read_lines(mut source: impl Read, line_bytes_max: usize, lines: &Sender<io::Result<Line>>) {
    let mut splitter = LineSplitter::new(line_bytes_max);
    let mut buf = vec![0; READ_BYTES];
    loop {
        match source.read(&mut buf) {
            Ok(0) => break,
            Ok(len) => {
                let bytes = buf.get(..len).unwrap_or_default();
                let is_wanted = splitter.feed(bytes, |line| lines.send_blocking(Ok(line)).is_ok());
                if !is_wanted {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => {
                // Nobody may listen any more, which is all the same.
                let _ = lines.send_blocking(Err(error));
                return;
            }
        }
    }
    if let Some(line) = splitter.finish() {
        let _ = lines.send_blocking(Ok(line));
    }
}

/// Standard output. Cloning shares it; each [`write`](Output::write) stays in one piece.
#[derive(Clone)]
pub struct Output {
    writes: Sender<Item>,
    failed: Receiver<io::Error>,
}

enum Item {
    Bytes(Vec<u8>),
    /// Answered once everything before it has been written.
    Flush(Sender<()>),
}

/// Standard output does not take anything any more: closed, or its reader is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputClosed;

impl Output {
    /// Starts the writer of standard output.
    ///
    /// # Errors
    /// The system's, when it has no descriptor or no thread left.
    pub fn stdout() -> io::Result<Self> {
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Self::new(stdout)
    }

    fn new(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let (writes, queue) = bounded(WRITES_AHEAD_MAX);
        let (report, failed) = bounded(1);
        thread::start("stdout", move || {
            if let Err(error) = write_queue(sink, &queue) {
                // What is still queued would live as long as the sending side, and whoever waits for a flush in it
                // would wait for ever: close first, so that nothing comes after, then drop it all.
                queue.close();
                while queue.try_recv().is_ok() {}
                let _ = report.try_send(error);
            }
        })?;
        Ok(Self { writes, failed })
    }

    /// Queues `bytes`; waits while the queue is full.
    ///
    /// # Errors
    /// [`OutputClosed`] when the writer has stopped.
    pub async fn write(&self, bytes: Vec<u8>) -> Result<(), OutputClosed> {
        self.writes
            .send(Item::Bytes(bytes))
            .await
            .map_err(|_| OutputClosed)
    }

    /// Waits until everything queued so far has been written.
    ///
    /// # Errors
    /// [`OutputClosed`] when the writer stopped before.
    pub async fn flush(&self) -> Result<(), OutputClosed> {
        let (done, is_done) = bounded(1);
        self.writes
            .send(Item::Flush(done))
            .await
            .map_err(|_| OutputClosed)?;
        is_done.recv().await.map_err(|_| OutputClosed)
    }

    /// Waits until writing fails, and says why the first time; `None` to later callers.
    pub async fn failed(&self) -> Option<io::Error> {
        self.failed.recv().await.ok()
    }
}

fn write_queue(mut sink: impl Write, queue: &Receiver<Item>) -> io::Result<()> {
    while let Ok(write) = queue.recv_blocking() {
        match write {
            Item::Bytes(bytes) => sink.write_all(&bytes)?,
            Item::Flush(done) => {
                sink.flush()?;
                let _ = done.try_send(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{PipeReader, pipe};

    use super::*;
    use crate::rt::{run, spawn, yield_now};

    #[test]
    fn lines_come_in_order_then_the_end() {
        run(async {
            let (reader, mut writer) = pipe().unwrap();
            let input = Input::new(reader, 10).unwrap();
            writer.write_all(b"one\ntwo two two two\nthree").unwrap();
            drop(writer);
            assert_eq!(
                input.next().await.unwrap().unwrap(),
                Line::Text(b"one".into())
            );
            assert_eq!(
                input.next().await.unwrap().unwrap(),
                Line::TooLong { bytes: 15 }
            );
            assert_eq!(
                input.next().await.unwrap().unwrap(),
                Line::Text(b"three".into())
            );
            assert!(input.next().await.is_none());
        });
    }

    #[test]
    fn a_read_error_is_told_once() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::Other.into())
            }
        }
        run(async {
            let input = Input::new(Broken, 10).unwrap();
            assert!(input.next().await.unwrap().is_err());
            assert!(input.next().await.is_none());
        });
    }

    #[test]
    fn a_full_pipe_stalls_output_only() {
        run(async {
            let (mut reader, writer) = pipe().unwrap();
            let output = Output::new(writer).unwrap();
            let (count, size) = (WRITES_AHEAD_MAX + 4, 100_000);
            let writing = spawn(async move {
                for _ in 0..count {
                    output.write(vec![b'x'; size]).await.unwrap();
                }
                output.flush().await.unwrap();
            });
            // Nobody reads: the queue fills, and this task still runs.
            for _ in 0..100 {
                yield_now().await;
            }
            assert!(!writing.is_finished());
            let reading = std::thread::spawn(move || read_all(&mut reader));
            writing.await;
            assert_eq!(reading.join().unwrap(), count * size);
        });
    }

    fn read_all(reader: &mut PipeReader) -> usize {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap()
    }

    /// Takes nothing.
    struct Broken;

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A flush that was queued when writing failed once waited for ever.
    #[test]
    fn a_queued_flush_does_not_outlive_the_writer() {
        run(async {
            for _ in 0..200 {
                // Not a pipe: a child that another test is about to start would have its reader too.
                let output = Output::new(Broken).unwrap();
                // The writer may have stopped at either of the two.
                let _ = output.write(b"lost".into()).await;
                assert_eq!(output.flush().await, Err(OutputClosed));
            }
        });
    }

    #[test]
    fn a_closed_reader_is_reported() {
        run(async {
            let (reader, writer) = pipe().unwrap();
            let output = Output::new(writer).unwrap();
            drop(reader);
            // It is closed only when no child that another test is about to start has it any more.
            while output.write(b"lost".into()).await.is_ok() && output.flush().await.is_ok() {}
            assert_eq!(
                output.failed().await.unwrap().kind(),
                io::ErrorKind::BrokenPipe
            );
            assert_eq!(output.flush().await, Err(OutputClosed));
            assert!(output.failed().await.is_none());
        });
    }
}
