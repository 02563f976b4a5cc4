//! Reads the sample files of this folder. Used by the unit tests of `src/http1` and, by path, by
//! any test that sends raw bytes.
//!
//! A file is text for people: `#` starts a comment line, blank lines separate. A sample is
//!
//! ```text
//! == what it shows
//! => the expected outcome, in the words of the test that reads the file
//! POST /mcp HTTP/1.1\r\n
//! \r\n
//! ```
//!
//! The bytes are the lines after `=>`, joined without the file's own line ends; `\r \n \t \0 \\
//! \xNN` stand for bytes, and `\s*N` at the end of a line repeats what stands before it on that
//! line N times in all.

/// One sample.
pub struct Sample {
    /// What it shows; names it in failures.
    pub name: String,
    /// The expected outcome.
    pub outcome: String,
    /// What goes over the wire.
    pub bytes: Vec<u8>,
}

/// All samples of a file. Panics on a file without any, and on a sample without outcome.
pub fn read(text: &str) -> Vec<Sample> {
    let mut samples: Vec<Sample> = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(name) = line.strip_prefix("== ") {
            assert!(
                samples.iter().all(|sample| sample.name != name),
                "two samples are called {name:?}"
            );
            samples.push(Sample {
                name: name.into(),
                outcome: String::new(),
                bytes: Vec::new(),
            });
            continue;
        }
        let sample = samples.last_mut().expect("a sample starts with `== name`");
        match line.strip_prefix("=> ") {
            Some(outcome) => sample.outcome = outcome.into(),
            None => sample.bytes.extend(unescape(line)),
        }
    }
    assert!(!samples.is_empty(), "a sample file without samples");
    for sample in &samples {
        assert!(
            !sample.outcome.is_empty(),
            "sample {:?} has no outcome",
            sample.name
        );
    }
    samples
}

fn unescape(line: &str) -> Vec<u8> {
    let (line, times) = match line.split_once("\\s*") {
        Some((line, times)) => (line, times.parse().expect("a number after `\\s*`")),
        None => (line, 1),
    };
    let mut bytes = Vec::new();
    let mut rest = line.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let mut digit =
                    || char::from(rest.next().expect("two digits after `\\x`")).to_digit(16);
                let (high, low) = (digit().expect("a digit"), digit().expect("a digit"));
                u8::try_from(high * 16 + low).expect("two digits make a byte")
            }
            other => panic!("unknown escape {other:?} in {line:?}"),
        });
    }
    bytes.repeat(times)
}
