//! `pattern`: regular expressions in the part of ECMA-262's grammar (with the `u` flag) that can be
//! matched in time linear in the text.
//!
//! In scope: literals, `.`, classes, `\d \w \s \b` and their opposites, groups, alternatives, greedy
//! and lazy repetition, `^`, `$`, character escapes. Refused when compiled: look-around and
//! references back (no linear matcher has them), `\p{…}` (its tables weigh more than all of this).
//! A pattern matches anywhere in the text unless it says `^` or `$` (JSON Schema 2020-12
//! Validation, section 6.3.3).
//!
//! Ours rather than a library's: the smallest one in use adds several times the code to the binary, and
//! reads a grammar that is not ECMA's.

mod parse;
mod program;
mod set;

use program::Program;

use super::work::Work;

/// Longest pattern that is read.
const PATTERN_BYTES_MAX: usize = 1000;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(in crate::tools) struct Pattern {
    source: String,
    program: Program,
}

impl Pattern {
    /// Compiles a pattern, or says what is wrong with it.
    pub(in crate::tools) fn compile(source: &str) -> Result<Pattern, String> {
        if source.len() > PATTERN_BYTES_MAX {
            return Err(format!(
                "is a pattern of {} bytes, more than {PATTERN_BYTES_MAX}",
                source.len()
            ));
        }
        Ok(Pattern {
            source: source.to_owned(),
            program: Program::new(&parse::parse(source)?)?,
        })
    }

    /// As it was written.
    pub(in crate::tools) fn source(&self) -> &str {
        &self.source
    }

    /// A pattern that the whole text must match.
    pub(in crate::tools) fn compile_whole(source: &str) -> Result<Pattern, String> {
        // By itself first: `a)(?:b` would be a pattern inside the parentheses.
        Pattern::compile(source)?;
        let program = Program::new(&parse::parse(&format!("^(?:{source})$"))?)?;
        Ok(Pattern {
            source: source.to_owned(),
            program,
        })
    }

    /// Whether it matches somewhere in `text`, which is no longer than an argument may be.
    pub(in crate::tools) fn fits(&self, text: &str) -> bool {
        self.matches(text, &mut Work::new())
    }

    /// Whether it matches somewhere in `text`; false, too, once `work` has run out.
    pub(super) fn matches(&self, text: &str, work: &mut Work) -> bool {
        self.program.matches(text, work)
    }
}

#[cfg(test)]
mod tests;
