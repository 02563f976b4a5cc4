//! How a command ends: the exit codes, and a failure with the code it asks for.
//!
//! The codes above 2 are those of BSD `sysexits.h`, so that a supervisor can tell a mistake in the configuration, which
//! a restart does not mend, from a port that is taken for a moment.

use std::fmt;

use crate::config::ConfigErrors;

/// What the process tells whoever started it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// What was asked is done.
    Ok,
    /// It was tried and failed: a tool's error, a server that is not healthy.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// An address cannot be bound, or something else the server stands on is missing (`EX_UNAVAILABLE`).
    Unavailable,
    /// A bug of ours (`EX_SOFTWARE`).
    Internal,
    /// The configuration is wrong (`EX_CONFIG`).
    Config,
}

impl ExitCode {
    /// Every code with its number and its line in the help.
    pub const TABLE: [(ExitCode, u8, &'static str); 6] = [
        (ExitCode::Ok, 0, "done"),
        (
            ExitCode::Failed,
            1,
            "what was asked failed, for example the tool",
        ),
        (ExitCode::Usage, 2, "the command line is not understood"),
        (
            ExitCode::Unavailable,
            69,
            "an address cannot be bound, or a resource is missing",
        ),
        (
            ExitCode::Internal,
            70,
            "a bug in siskin; please report the message",
        ),
        (
            ExitCode::Config,
            78,
            "the configuration is wrong; `siskin check` lists how",
        ),
    ];

    /// The number the process exits with.
    pub fn number(self) -> u8 {
        ExitCode::TABLE
            .iter()
            .find(|(code, ..)| *code == self)
            .map(|(_, number, _)| *number)
            .expect("every code has a row in the table")
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> std::process::ExitCode {
        std::process::ExitCode::from(code.number())
    }
}

/// Why a command did not do what it was asked, in words for the operator, and the code to exit with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code.
    pub exit: ExitCode,
    /// One or more lines, in the house style, without a newline at the end. Empty where all is said already.
    pub message: String,
}

impl Failure {
    /// A failure that exits with `exit`.
    pub fn new(exit: ExitCode, message: impl Into<String>) -> Failure {
        Failure {
            exit,
            message: message.into(),
        }
    }

    /// The command line is not understood.
    pub(super) fn usage(message: impl Into<String>) -> Failure {
        Failure::new(ExitCode::Usage, message)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Failure {
        let message = match errors.0.len() {
            1 => format!("the configuration is wrong:\n{errors}"),
            count => format!("the configuration has {count} problems:\n{errors}"),
        };
        Failure::new(ExitCode::Config, message)
    }
}

#[cfg(test)]
mod tests {
    use super::ExitCode;

    #[test]
    fn each_code_has_its_number() {
        let expected = [
            (ExitCode::Ok, 0),
            (ExitCode::Failed, 1),
            (ExitCode::Usage, 2),
            (ExitCode::Unavailable, 69),
            (ExitCode::Internal, 70),
            (ExitCode::Config, 78),
        ];
        assert_eq!(expected.len(), ExitCode::TABLE.len());
        for (code, number) in expected {
            assert_eq!(code.number(), number, "{code:?}");
        }
    }

    #[test]
    fn no_two_codes_share_a_number() {
        let mut numbers: Vec<_> = ExitCode::TABLE.iter().map(|row| row.1).collect();
        numbers.dedup();
        assert_eq!(numbers.len(), ExitCode::TABLE.len());
        assert!(numbers.is_sorted());
    }
}
