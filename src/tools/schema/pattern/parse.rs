//! The text of a pattern as a tree. Groups nest to a fixed depth, since this recurses.

use std::iter::Peekable;
use std::str::Chars;

use super::set::Set;

/// A piece of a pattern.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// One of these.
    Alternatives(Vec<Piece>),
    /// A place, which takes no character.
    Assertion(Assertion),
    /// One character of a set.
    One(Set),
    /// Again and again.
    Repeated {
        piece: Box<Piece>,
        least: u32,
        /// Without an end if absent.
        most: Option<u32>,
    },
    /// One after the other; nothing if empty.
    Sequence(Vec<Piece>),
}

/// Where something may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Assertion {
    End,
    NoWordBoundary,
    Start,
    WordBoundary,
}

/// How deeply groups nest.
const DEPTH_MAX: usize = 32;
/// The most that `{n}` may count to.
const COUNT_MAX: u32 = 1000;

/// Reads a whole pattern.
pub(super) fn parse(source: &str) -> Result<Piece, String> {
    let mut parser = Parser {
        chars: source.chars().peekable(),
    };
    let piece = parser.alternatives(0)?;
    match parser.chars.next() {
        None => Ok(piece),
        Some(_) => Err("has a `)` that closes nothing; write `\\)` for the character".to_owned()),
    }
}

struct Parser<'a> {
    chars: Peekable<Chars<'a>>,
}

impl Parser<'_> {
    fn alternatives(&mut self, depth: usize) -> Result<Piece, String> {
        if depth > DEPTH_MAX {
            return Err(format!("nests groups more than {DEPTH_MAX} deep"));
        }
        let mut alternatives = vec![self.sequence(depth)?];
        while self.chars.next_if_eq(&'|').is_some() {
            alternatives.push(self.sequence(depth)?);
        }
        Ok(match alternatives.len() {
            1 => alternatives.swap_remove(0),
            _ => Piece::Alternatives(alternatives),
        })
    }

    fn sequence(&mut self, depth: usize) -> Result<Piece, String> {
        let mut pieces = Vec::new();
        while let Some(c) = self.chars.next_if(|c| !matches!(c, '|' | ')')) {
            let piece = self.term(c, depth)?;
            pieces.push(self.repeated(piece)?);
        }
        Ok(Piece::Sequence(pieces))
    }

    fn term(&mut self, c: char, depth: usize) -> Result<Piece, String> {
        Ok(match c {
            '^' => Piece::Assertion(Assertion::Start),
            '$' => Piece::Assertion(Assertion::End),
            '.' => Piece::One(Set::dot()),
            '(' => return self.group(depth),
            '[' => Piece::One(self.class()?),
            '\\' => return self.escape(),
            '*' | '+' | '?' | '{' | '}' | ']' => return Err(stray(c)),
            c => Piece::One(Set::of(c)),
        })
    }

    fn group(&mut self, depth: usize) -> Result<Piece, String> {
        if self.chars.next_if_eq(&'?').is_some() {
            match self.chars.next() {
                Some(':') => (),
                Some('<') if !matches!(self.chars.peek(), Some('=' | '!')) => self.group_name()?,
                _ => {
                    return Err(
                        "uses a group of the form `(?…)`, of which only `(?:…)` and \
                        `(?<name>…)` are known; look-around cannot be matched in linear time"
                            .to_owned(),
                    );
                }
            }
        }
        let piece = self.alternatives(depth.saturating_add(1))?;
        match self.chars.next() {
            Some(_) => Ok(piece),
            None => Err("has a `(` without its `)`".to_owned()),
        }
    }

    /// Past `name>`: nothing refers to it.
    fn group_name(&mut self) -> Result<(), String> {
        let mut is_empty = true;
        for c in self.chars.by_ref() {
            if c == '>' && !is_empty {
                return Ok(());
            }
            if !c.is_alphanumeric() && c != '_' && c != '$' {
                break;
            }
            is_empty = false;
        }
        Err("has a group whose name is not made of letters and digits".to_owned())
    }

    fn repeated(&mut self, piece: Piece) -> Result<Piece, String> {
        let (least, most) = match self.chars.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => {
                self.chars.next();
                let counts = self.counts()?;
                return self.repeat(piece, counts);
            }
            _ => return Ok(piece),
        };
        self.chars.next();
        self.repeat(piece, (least, most))
    }

    fn repeat(&mut self, piece: Piece, counts: (u32, Option<u32>)) -> Result<Piece, String> {
        if matches!(piece, Piece::Assertion(_)) {
            return Err(
                "repeats a place such as `^` or `\\b`, which takes no character".to_owned(),
            );
        }
        // Lazy: takes less first, which makes no difference to whether there is a match.
        self.chars.next_if_eq(&'?');
        Ok(Piece::Repeated {
            piece: Box::new(piece),
            least: counts.0,
            most: counts.1,
        })
    }

    /// `n}`, `n,}` or `n,m}`.
    fn counts(&mut self) -> Result<(u32, Option<u32>), String> {
        let least = self.count()?;
        let most = match self.chars.next_if_eq(&',') {
            None => Some(least),
            Some(_) if self.chars.peek() == Some(&'}') => None,
            Some(_) => Some(self.count()?),
        };
        if self.chars.next() != Some('}') {
            return Err(
                "has a `{` that is no repetition; write `\\{` for the character".to_owned(),
            );
        }
        match most {
            Some(most) if most < least => Err(format!("repeats from {least} to {most} times")),
            _ => Ok((least, most)),
        }
    }

    fn count(&mut self) -> Result<u32, String> {
        let mut count: Option<u32> = None;
        while let Some(digit) = self.chars.peek().and_then(|c| c.to_digit(10)) {
            self.chars.next();
            let next = count.unwrap_or(0).saturating_mul(10).saturating_add(digit);
            if next > COUNT_MAX {
                return Err(format!("repeats something more than {COUNT_MAX} times"));
            }
            count = Some(next);
        }
        count.ok_or_else(|| {
            "has a `{` that is no repetition; write `\\{` for the character".to_owned()
        })
    }

    fn escape(&mut self) -> Result<Piece, String> {
        let place = match self.chars.peek() {
            Some('b') => Assertion::WordBoundary,
            Some('B') => Assertion::NoWordBoundary,
            Some(letter) => {
                if let Some(set) = Set::of_escape(*letter) {
                    self.chars.next();
                    return Ok(Piece::One(set));
                }
                return self.character_escape().map(|c| Piece::One(Set::of(c)));
            }
            None => return Err("ends with a lone `\\`".to_owned()),
        };
        self.chars.next();
        Ok(Piece::Assertion(place))
    }

    /// What follows a `\` and stands for one character, ECMA-262 section 22.2.1, CharacterEscape.
    fn character_escape(&mut self) -> Result<char, String> {
        let Some(c) = self.chars.next() else {
            return Err("ends with a lone `\\`".to_owned());
        };
        match c {
            'f' => Ok('\u{c}'),
            'n' => Ok('\n'),
            'r' => Ok('\r'),
            't' => Ok('\t'),
            'v' => Ok('\u{b}'),
            '0' if !matches!(self.chars.peek(), Some('0'..='9')) => Ok('\0'),
            'x' => self.hex(2),
            'u' if self.chars.next_if_eq(&'{').is_some() => self.braced_hex(),
            'u' => self.hex(4),
            '0'..='9' | 'k' => Err(format!(
                "refers back by `\\{c}`, which cannot be matched in linear time"
            )),
            'p' | 'P' => Err(format!(
                "uses `\\{c}{{…}}`; write the characters as a class instead"
            )),
            '^' | '$' | '\\' | '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|'
            | '/' | '-' => Ok(c),
            c => Err(format!(
                "uses the escape `\\{}`, which means nothing",
                c.escape_debug()
            )),
        }
    }

    fn hex(&mut self, length: usize) -> Result<char, String> {
        let mut code = 0_u32;
        for _ in 0..length {
            let digit = self.chars.next().and_then(|c| c.to_digit(16));
            code = code << 4 | digit.ok_or("has a `\\x` or `\\u` without its hex digits")?;
        }
        to_char(code)
    }

    fn braced_hex(&mut self) -> Result<char, String> {
        let mut code: u32 = 0;
        let mut is_empty = true;
        loop {
            match self.chars.next() {
                Some('}') if !is_empty => return to_char(code),
                Some(c) if c.is_ascii_hexdigit() && code <= 0x0010_ffff => {
                    code = code << 4 | c.to_digit(16).unwrap_or(0);
                    is_empty = false;
                }
                _ => return Err("has a `\\u{` without its hex digits and `}`".to_owned()),
            }
        }
    }

    /// What follows a `[`.
    fn class(&mut self) -> Result<Set, String> {
        const UNCLOSED: &str = "has a `[` without its `]`";
        let is_negated = self.chars.next_if_eq(&'^').is_some();
        let mut set = Set::default();
        loop {
            let first = match self.chars.next().ok_or(UNCLOSED)? {
                ']' => break,
                c => self.class_atom(c)?,
            };
            let is_range = self.chars.peek() == Some(&'-') && {
                let mut ahead = self.chars.clone();
                ahead.next();
                ahead.peek() != Some(&']')
            };
            if !is_range {
                match first {
                    Atom::Set(other) => set.add_all(&other),
                    Atom::One(c) => set.add(c, c),
                }
                continue;
            }
            self.chars.next();
            let last = self.chars.next().ok_or(UNCLOSED)?;
            match (first, self.class_atom(last)?) {
                (Atom::One(first), Atom::One(last)) if first <= last => set.add(first, last),
                (Atom::One(first), Atom::One(last)) => {
                    return Err(format!(
                        "has the range `{}-{}`, which runs backwards",
                        first.escape_debug(),
                        last.escape_debug()
                    ));
                }
                _ => return Err("has a range with a set such as `\\d` at its end".to_owned()),
            }
        }
        let set = set.normalised();
        Ok(if is_negated { set.negated() } else { set })
    }

    fn class_atom(&mut self, c: char) -> Result<Atom, String> {
        if c != '\\' {
            return Ok(Atom::One(c));
        }
        match self.chars.peek() {
            Some('b') => {
                self.chars.next();
                Ok(Atom::One('\u{8}'))
            }
            Some(letter) => match Set::of_escape(*letter) {
                Some(set) => {
                    self.chars.next();
                    Ok(Atom::Set(set))
                }
                None => self.character_escape().map(Atom::One),
            },
            None => Err("ends with a lone `\\`".to_owned()),
        }
    }
}

enum Atom {
    One(char),
    Set(Set),
}

fn stray(c: char) -> String {
    match c {
        '*' | '+' | '?' => format!("has a `{c}` with nothing to repeat"),
        c => format!("has a lone `{c}`; write `\\{c}` for the character"),
    }
}

fn to_char(code: u32) -> Result<char, String> {
    char::from_u32(code).ok_or_else(|| {
        format!("names the code point {code:x}, which is no character; write others as `\\u{{…}}`")
    })
}
