//! Text that must not be shown: tokens and passwords.
//!
//! Not encryption and not a vault: the type only has no way to be printed or serialised by accident, so a reader can
//! search for `expose` and see every place a secret leaves.

use std::fmt;
use std::hint::black_box;

use crate::constant_time::is_equal;

/// A secret text. It has no `Display` and no `Serialize`, its `Debug` shows stars, and its memory is cleared on drop.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Takes the text in. The buffer is reused, so no second copy stays behind.
    pub fn new(text: String) -> Secret {
        Secret(text.into_bytes())
    }

    /// The text itself. Call this only where it goes to its peer or into a hash.
    #[expect(clippy::expect_used, reason = "it says why")]
    pub fn expose(&self) -> &str {
        std::str::from_utf8(&self.0).expect("a secret is built from a string")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// Equality looks at every byte whatever it finds, so its time tells a guesser nothing but the length.
impl PartialEq for Secret {
    fn eq(&self, other: &Secret) -> bool {
        is_equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without this the compiler may see that nobody reads the zeroes and leave them out.
        black_box(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_stars_only() {
        let secret = Secret::new("canary-1".into());
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.expose(), "canary-1");
    }

    #[test]
    fn equality_needs_every_byte_and_the_length() {
        let secret = |text: &str| Secret::new(text.into());
        assert_eq!(secret("abc"), secret("abc"));
        assert_ne!(secret("abc"), secret("abd"));
        assert_ne!(secret("abc"), secret("ab"));
        assert_ne!(secret(""), secret("a"));
    }
}
