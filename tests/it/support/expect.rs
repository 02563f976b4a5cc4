//! What a call of a declared tool must come to: the request that arrives, and what the model reads.

use super::{Answer, Call, Rig, Service, Value, json};

/// A list as results show it when nothing was left out.
pub fn listed(items: Value) -> Value {
    let count = items.as_array().map_or(0, Vec::len);
    json!({"items": items, "shown": count, "total": count})
}

impl<S: Service> Rig<S> {
    /// A call that succeeds with JSON: the one request that arrives, and the result.
    #[track_caller]
    pub fn expect(&mut self, tool: &str, arguments: Value, line: &str, expected: Value) -> Call {
        let found = self.json(tool, arguments);
        let call = self.upstream.only();
        assert_eq!(call.line(), line, "{tool}");
        assert_eq!(found, expected, "{tool}");
        call
    }

    /// The same with a list of which everything is shown.
    #[track_caller]
    pub fn expect_list(&mut self, tool: &str, arguments: Value, line: &str, items: Value) -> Call {
        self.expect(tool, arguments, line, listed(items))
    }

    /// The same with text.
    #[track_caller]
    pub fn expect_text(&mut self, tool: &str, arguments: Value, line: &str, text: &str) -> Call {
        let found = self.text(tool, arguments);
        let call = self.upstream.only();
        assert_eq!(call.line(), line, "{tool}");
        assert_eq!(found, text, "{tool}");
        call
    }

    /// Calls each tool while the service answers its request with `answer`; the model must be told
    /// exactly `<tool>: <told>`, where `told` is made of the tool's name alone.
    #[track_caller]
    pub fn expect_failures(
        &mut self,
        answer: &Answer,
        told: &str,
        calls: &[(&str, Value, &'static str, &str)],
    ) {
        for (tool, arguments, method, path) in calls {
            self.upstream.next(method, path, answer.clone());
            let found = self.failure(tool, arguments.clone());
            let lines = self.upstream.lines();
            assert_eq!(found, format!("{tool}: {told}"), "after {lines:?}");
        }
    }

    /// Calls that are refused for their arguments before anything is sent.
    #[track_caller]
    pub fn expect_refusals(&mut self, calls: &[(&str, Value, &str)]) {
        for (tool, arguments, words) in calls {
            self.refused(tool, arguments.clone(), words);
        }
    }

    /// The tools it offers beside siskin's own, with their annotations: `r`ead-only, `w`riting,
    /// `d`estructive, and `i`dempotent.
    #[track_caller]
    pub fn offers(&mut self, prefix: &str) -> Vec<String> {
        let tools = self.tools();
        let mut offered: Vec<_> = tools
            .iter()
            .filter_map(|tool| {
                let name = tool["name"].as_str()?.strip_prefix(prefix)?;
                let hints = &tool["annotations"];
                let word = match (
                    hints["readOnlyHint"].as_bool(),
                    hints["destructiveHint"].as_bool(),
                ) {
                    (Some(true), _) => "r",
                    (_, Some(false)) => "w",
                    _ => "d",
                };
                let again = if word != "r" && hints["idempotentHint"] == true {
                    "i"
                } else {
                    ""
                };
                Some(format!("{word}{again} {name}"))
            })
            .collect();
        offered.sort();
        offered
    }
}
