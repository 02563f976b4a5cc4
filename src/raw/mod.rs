//! JSON values as they stand in a text, checked and cut out, not built (RFC 8259).
//!
//! A request is asked for a handful of its members, and its arguments are read by whoever wants them. So the text is
//! walked once, strictly, and what comes out are pieces of it. serde_json can do that with its `RawValue`, at some eight
//! hundred instructions for each of a dozen members; it is still what says why a text is refused, and what unescapes.

mod scanner;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::value::RawValue;

use scanner::Scanner;

/// The text of one JSON value, without white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'a>(&'a str);

/// How deep values nest at most; deeper ones are not read. No `limits.json_depth` is more.
pub const DEPTH_MAX: usize = 512;

impl<'a> Raw<'a> {
    /// Takes a whole text; `None` if it is not one JSON value, and white space.
    pub fn parse(text: &'a str) -> Option<Raw<'a>> {
        Scanner::new(text, DEPTH_MAX).only_value()
    }

    /// It, as text.
    pub fn get(self) -> &'a str {
        self.0
    }

    /// Its first character, which tells its type.
    pub fn first_byte(self) -> u8 {
        self.0.as_bytes().first().copied().unwrap_or(0)
    }

    /// Whether it is an object.
    pub fn is_object(self) -> bool {
        self.first_byte() == b'{'
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.first_byte() == b'n'
    }

    /// A copy that outlives the text, for those who keep it.
    pub fn keep(self) -> Box<RawValue> {
        // It is one, so nothing becomes null.
        serde_json::from_str(self.0).unwrap_or_else(|_| RawValue::NULL.to_owned())
    }

    /// A string's text, borrowed where it has no escapes; `None` for anything else.
    pub fn text(self) -> Option<Cow<'a, str>> {
        Scanner::new(self.0, 0).string()
    }

    /// An array of strings, owned; `None` for anything else.
    pub fn texts(self) -> Option<Vec<String>> {
        let mut elements = self.elements();
        let mut texts = Vec::new();
        while let Some(element) = elements.next_element().ok()? {
            texts.push(element.text()?.into_owned());
        }
        Some(texts)
    }

    /// `true` or `false`; `None` for anything else.
    pub fn flag(self) -> Option<bool> {
        match self.0 {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }

    /// An array's elements.
    pub fn elements(self) -> Elements<'a> {
        Elements::of(self.0, DEPTH_MAX)
    }

    /// An object's members.
    pub fn members(self) -> Members<'a> {
        Members::of(self.0, DEPTH_MAX)
    }

    /// The members of these names. Null is the same as none.
    ///
    /// # Errors
    /// [`Invalid`]: it is no object, or one of them stands twice.
    pub fn pick<const N: usize>(self, names: [&str; N]) -> Result<[Option<Raw<'a>>; N], Invalid> {
        let mut found = [None; N];
        self.pick_into(&names, &mut found)?;
        Ok(found.map(|value| value.filter(|value| !value.is_null())))
    }

    fn pick_into(self, names: &[&str], found: &mut [Option<Raw<'a>>]) -> Result<(), Invalid> {
        let mut members = self.members();
        while let Some((name, value)) = members.next_member()? {
            let slot = names.iter().position(|known| *known == name);
            if let Some(slot) = slot.and_then(|at| found.get_mut(at))
                && slot.replace(value).is_some()
            {
                return Err(Invalid::Syntax);
            }
        }
        Ok(())
    }
}

impl<'a> From<&'a RawValue> for Raw<'a> {
    fn from(raw: &'a RawValue) -> Raw<'a> {
        // serde_json has checked it, and keeps no white space around it.
        Raw(raw.get())
    }
}

/// Why a text is not what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It is not JSON, or something else in JSON; serde_json tells better what.
    Syntax,
    /// It nests too deep.
    TooDeep,
}

/// The members of an object, in their order.
#[derive(Clone, Debug)]
pub struct Members<'a> {
    scanner: Scanner<'a>,
}

/// The elements of an array.
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    scanner: Scanner<'a>,
}

impl<'a> Members<'a> {
    /// Of a text that should be an object, and white space; whether it is turns out on the way. It may nest so deep,
    /// itself counted.
    pub fn of(text: &'a str, depth_max: usize) -> Members<'a> {
        Members {
            scanner: Scanner::new(text, depth_max.saturating_sub(1)),
        }
    }

    /// The next one, unless that was all.
    ///
    /// # Errors
    /// [`Invalid`], also of a text that goes on behind the object.
    pub fn next_member(&mut self) -> Result<Option<(Cow<'a, str>, Raw<'a>)>, Invalid> {
        self.step().ok_or_else(|| self.scanner.why())
    }

    #[expect(clippy::option_option, reason = "the outer one is the error")]
    fn step(&mut self) -> Option<Option<(Cow<'a, str>, Raw<'a>)>> {
        if !self.scanner.goes_on(b'{')? {
            return Some(None);
        }
        let name = self.scanner.string()?;
        self.scanner.skip_colon()?;
        Some(Some((name, self.scanner.value()?)))
    }

    /// All of them, unless something is wrong.
    pub fn all(mut self) -> Option<Vec<(Cow<'a, str>, Raw<'a>)>> {
        let mut all = Vec::new();
        while let Some(member) = self.step()? {
            all.push(member);
        }
        Some(all)
    }

    /// Whether there was an escape so far.
    pub fn has_escapes(&self) -> bool {
        self.scanner.escapes > 0
    }
}

impl<'a> Elements<'a> {
    /// As [`Members::of`], for an array.
    pub fn of(text: &'a str, depth_max: usize) -> Elements<'a> {
        Elements {
            scanner: Scanner::new(text, depth_max.saturating_sub(1)),
        }
    }

    /// The next one, unless that was all.
    ///
    /// # Errors
    /// [`Invalid`], also of a text that goes on behind the array.
    pub fn next_element(&mut self) -> Result<Option<Raw<'a>>, Invalid> {
        self.step().ok_or_else(|| self.scanner.why())
    }

    #[expect(clippy::option_option, reason = "the outer one is the error")]
    fn step(&mut self) -> Option<Option<Raw<'a>>> {
        if !self.scanner.goes_on(b'[')? {
            return Some(None);
        }
        Some(Some(self.scanner.value()?))
    }

    /// Whether there was an escape so far.
    pub fn has_escapes(&self) -> bool {
        self.scanner.escapes > 0
    }
}
