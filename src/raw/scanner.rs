//! Walks over JSON text, strictly (RFC 8259).

use std::borrow::Cow;

use crate::find;

use super::{DEPTH_MAX, Invalid, Raw};

/// A place in a text. What cannot stand there is `None` throughout.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    /// How many escapes were passed over.
    pub(super) escapes: usize,
    /// How deep a value may nest.
    depth_max: usize,
    is_too_deep: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str, depth_max: usize) -> Scanner<'a> {
        Scanner {
            text,
            at: 0,
            escapes: 0,
            depth_max,
            is_too_deep: false,
        }
    }

    /// Why something was `None`.
    pub(super) fn why(&self) -> Invalid {
        if self.is_too_deep {
            Invalid::TooDeep
        } else {
            Invalid::Syntax
        }
    }

    /// The value that is the whole text, but for white space.
    pub(super) fn only_value(mut self) -> Option<Raw<'a>> {
        self.skip_space();
        let value = self.value()?;
        self.skip_space();
        (self.at == self.text.len()).then_some(value)
    }

    /// Goes to the next part of what begins with `opening` and is the whole text. False behind the last one.
    pub(super) fn goes_on(&mut self, opening: u8) -> Option<bool> {
        let is_inside = self.at > 0;
        self.skip_space();
        let goes_on = if is_inside {
            self.skip(b',').is_some()
        } else {
            self.skip(opening)?;
            self.skip_space();
            self.peek() != closing(opening)
        };
        if goes_on {
            self.skip_space();
            return Some(true);
        }
        self.skip(closing(opening))?;
        self.skip_space();
        (self.at == self.text.len()).then_some(false)
    }

    /// The byte that stands here; behind the end it is 0, which stands nowhere in JSON.
    #[inline(always)]
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn advance(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes);
    }

    /// Passes over this byte.
    #[inline(always)]
    fn skip(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.advance(1))
    }

    #[inline(always)]
    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.advance(1);
        }
    }

    pub(super) fn skip_colon(&mut self) -> Option<()> {
        self.skip_space();
        self.skip(b':')?;
        self.skip_space();
        Some(())
    }

    /// The value that begins here. Does not recurse.
    pub(super) fn value(&mut self) -> Option<Raw<'a>> {
        let from = self.at;
        let mut around = Nesting::default();
        loop {
            match self.peek() {
                b'"' => self.skip_string()?,
                b'-' | b'0'..=b'9' => self.skip_number()?,
                opening @ (b'{' | b'[') => {
                    if around.depth >= self.depth_max || around.enter(opening == b'{').is_none() {
                        self.is_too_deep = true;
                        return None;
                    }
                    self.advance(1);
                    self.skip_space();
                    if self.peek() != closing(opening) {
                        if opening == b'{' {
                            self.skip_name()?;
                        }
                        continue;
                    }
                    self.advance(1);
                    around.leave();
                }
                b't' => self.skip_word("true")?,
                b'f' => self.skip_word("false")?,
                b'n' => self.skip_word("null")?,
                _ => return None,
            }
            // Behind a value: what it stands in goes on, or is over too.
            loop {
                let Some(is_object) = around.innermost() else {
                    return self.text.get(from..self.at).map(Raw);
                };
                self.skip_space();
                if self.skip(b',').is_some() {
                    self.skip_space();
                    if is_object {
                        self.skip_name()?;
                    }
                    break;
                }
                self.skip(closing(if is_object { b'{' } else { b'[' }))?;
                around.leave();
            }
        }
    }

    /// A member's name, up to its value.
    fn skip_name(&mut self) -> Option<()> {
        self.skip_string()?;
        self.skip_colon()
    }

    /// The text of the string that begins here.
    pub(super) fn string(&mut self) -> Option<Cow<'a, str>> {
        let (from, escapes) = (self.at, self.escapes);
        self.skip_string()?;
        if self.escapes > escapes {
            let text = serde_json::from_str(self.text.get(from..self.at)?);
            return text.ok().map(Cow::Owned);
        }
        let inside = from.saturating_add(1)..self.at.saturating_sub(1);
        self.text.get(inside).map(Cow::Borrowed)
    }

    fn skip_string(&mut self) -> Option<()> {
        self.skip(b'"')?;
        let bytes = self.text.as_bytes();
        let mut at = self.at;
        loop {
            at = find::json_mark(bytes, at);
            match bytes.get(at)? {
                b'"' => {
                    self.at = at.wrapping_add(1);
                    return Some(());
                }
                b'\\' => {
                    self.at = at;
                    self.skip_escape()?;
                    at = self.at;
                }
                0..=0x1f => return None,
                _ => at = at.wrapping_add(1),
            }
        }
    }

    // Apart, or its registers would be saved and restored for every string.
    #[cold]
    #[inline(never)]
    fn skip_escape(&mut self) -> Option<()> {
        self.escapes = self.escapes.saturating_add(1);
        self.advance(1);
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.advance(1),
            b'u' => {
                self.advance(1);
                for _ in 0..4 {
                    if !self.peek().is_ascii_hexdigit() {
                        return None;
                    }
                    self.advance(1);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn skip_number(&mut self) -> Option<()> {
        _ = self.skip(b'-');
        if self.skip(b'0').is_none() {
            self.skip_digits()?;
        }
        if self.skip(b'.').is_some() {
            self.skip_digits()?;
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.advance(1);
            if matches!(self.peek(), b'+' | b'-') {
                self.advance(1);
            }
            self.skip_digits()?;
        }
        Some(())
    }

    /// One digit, or more.
    fn skip_digits(&mut self) -> Option<()> {
        let from = self.at;
        while self.peek().is_ascii_digit() {
            self.advance(1);
        }
        (self.at > from).then_some(())
    }

    fn skip_word(&mut self, word: &str) -> Option<()> {
        let is_it = self.text.get(self.at..)?.starts_with(word);
        is_it.then(|| self.advance(word.len()))
    }
}

/// What closes it: the brackets come two after those that open, in ASCII.
#[inline(always)]
fn closing(opening: u8) -> u8 {
    opening.wrapping_add(2)
}

/// Which of the values around a place are objects: a bit for each, and there are as many as `depth`.
#[derive(Default)]
struct Nesting {
    objects: [u64; DEPTH_MAX / 64],
    depth: usize,
}

impl Nesting {
    fn enter(&mut self, is_object: bool) -> Option<()> {
        let word = self.objects.get_mut(self.depth / 64)?;
        let bit = 1 << (self.depth % 64);
        *word = if is_object { *word | bit } else { *word & !bit };
        self.depth = self.depth.saturating_add(1);
        Some(())
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Whether the innermost one is an object; `None` outside of all.
    fn innermost(&self) -> Option<bool> {
        let at = self.depth.checked_sub(1)?;
        let word = self.objects.get(at / 64)?;
        Some(word >> (at % 64) & 1 == 1)
    }
}
