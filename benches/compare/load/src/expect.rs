//! What an answer must be, and whether it is.
//!
//! The first answer of a kind is read as JSON. What it was, byte for byte but for the id, is then what all the others
//! must be; one that differs is read as JSON again. So every answer is checked, and checking costs a comparison.

use serde_json::Value;

use crate::http::find;

/// What to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// The sum that `add` was asked for.
    Sum,
    /// A list of this many tools, each with a name and a schema.
    Tools(usize),
    /// The answer to `initialize`.
    Initialized,
    /// The same bytes as the first time, whatever they are: for servers that answer anything the same.
    Constant,
}

/// The text of the right sum.
pub const SUM: &str = "42";

/// Checks answers of one kind.
pub struct Checker {
    want: Want,
    /// Before and after the id.
    known: Option<(Vec<u8>, Vec<u8>)>,
}

impl Checker {
    pub fn new(want: Want) -> Checker {
        Checker { want, known: None }
    }

    /// Whether `text` is the right answer to the request `id`.
    pub fn check(&mut self, text: &[u8], id: u64) -> Result<(), String> {
        let mut digits = [0; 20];
        let id_text = decimal(&mut digits, id);
        if let Some((before, after)) = &self.known
            && text.len() == before.len() + id_text.len() + after.len()
            && text.starts_with(before)
            && text[before.len()..].starts_with(id_text)
            && text.ends_with(after)
        {
            return Ok(());
        }
        if self.want == Want::Constant {
            if self.known.is_some() {
                return Err(format!("another body: {}", String::from_utf8_lossy(text)));
            }
            // It has no id, so that the id's place is nowhere.
            self.known = Some((text.to_vec(), Vec::new()));
            return Ok(());
        }
        self.check_json(text, id)?;
        let place = [&b"\"id\":"[..], b"\"id\": "].iter().find_map(|key| {
            let at = find(text, key)? + key.len();
            text[at..].starts_with(id_text).then_some(at)
        });
        if let Some(at) = place {
            self.known = Some((text[..at].to_vec(), text[at + id_text.len()..].to_vec()));
        }
        Ok(())
    }

    /// As [`check`](Checker::check) for a body without an id.
    pub fn check_constant(&mut self, text: &[u8]) -> Result<(), String> {
        match &self.known {
            Some((known, _)) if known == text => Ok(()),
            Some(_) => Err(format!("another body: {}", String::from_utf8_lossy(text))),
            None => {
                self.known = Some((text.to_vec(), Vec::new()));
                Ok(())
            }
        }
    }

    pub fn is_constant(&self) -> bool {
        self.want == Want::Constant
    }

    fn check_json(&self, text: &[u8], id: u64) -> Result<(), String> {
        let wrong = |what: &str| format!("{what}: {}", String::from_utf8_lossy(text));
        let value: Value = serde_json::from_slice(text).map_err(|_| wrong("no JSON"))?;
        if value["jsonrpc"] != "2.0" || value["id"] != id {
            return Err(wrong(&format!("no answer to request {id}")));
        }
        let result = &value["result"];
        let is_right = match self.want {
            Want::Sum => {
                let content = &result["content"];
                let is_error = result["isError"].as_bool() == Some(true);
                content.as_array().is_some_and(|list| list.len() == 1)
                    && content[0]["type"] == "text"
                    && content[0]["text"] == SUM
                    && !is_error
            }
            Want::Tools(count) => result["tools"].as_array().is_some_and(|tools| {
                let is_tool =
                    |tool: &Value| tool["name"].is_string() && tool["inputSchema"].is_object();
                tools.len() == count && tools.iter().all(is_tool)
            }),
            Want::Initialized => {
                result["protocolVersion"].is_string() && result["serverInfo"]["name"].is_string()
            }
            Want::Constant => true,
        };
        if is_right {
            Ok(())
        } else {
            Err(wrong(&format!("not {:?}", self.want)))
        }
    }
}

/// A number's digits.
pub fn decimal(digits: &mut [u8; 20], number: u64) -> &[u8] {
    let mut at = digits.len();
    let mut left = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            return &digits[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(id: u64, text: &str) -> Vec<u8> {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#).into()
    }

    #[test]
    fn wrong_answers_are_found_before_and_after_learning() {
        let mut checker = Checker::new(Want::Sum);
        assert!(checker.check(&answer(1, "41"), 1).is_err());
        assert!(checker.check(&answer(1, "42"), 2).is_err());
        checker.check(&answer(1, "42"), 1).unwrap();
        checker.check(&answer(1000, "42"), 1000).unwrap();
        assert!(checker.check(&answer(1000, "42"), 1001).is_err());
        assert!(checker.check(&answer(1000, "43"), 1000).is_err());
        assert!(checker.check(b"", 1000).is_err());
        // The same, written differently.
        let spaced = r#"{"id": 7, "jsonrpc": "2.0", "result": {"content": [{"text": "42", "type": "text"}]}}"#;
        checker.check(spaced.as_bytes(), 7).unwrap();
    }

    #[test]
    fn a_constant_body_may_not_change() {
        let mut checker = Checker::new(Want::Constant);
        checker.check_constant(b"hello").unwrap();
        checker.check_constant(b"hello").unwrap();
        assert!(checker.check_constant(b"hullo").is_err());
    }
}
