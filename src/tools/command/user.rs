//! Who a command runs as.

use std::fs;

use crate::rt::process::Owner;

/// `user`, as it is written: names are looked up when the command runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum User {
    Name(String),
    Number(Owner),
}

impl User {
    pub(super) fn parse(text: &str) -> Result<User, String> {
        let is_digits = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        if is_digits(text) {
            let (uid, gid) = text.split_once(':').unwrap_or((text, text));
            return match (uid.parse(), gid.parse()) {
                (Ok(uid), Ok(gid)) => Ok(User::Number(Owner { uid, gid })),
                _ => Err(format!(
                    "is `{text}`, expected a name, a number, or `uid:gid`"
                )),
            };
        }
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        match !text.is_empty() && text.chars().all(is_plain) {
            true => Ok(User::Name(text.to_owned())),
            false => Err(format!(
                "is `{text}`, expected a name, a number, or `uid:gid`"
            )),
        }
    }

    /// The numbers, from `/etc/passwd`: what asks other sources needs a C library that is linked dynamically.
    pub(super) fn owner(&self) -> Result<Owner, String> {
        match self {
            User::Number(owner) => Ok(*owner),
            User::Name(name) => {
                let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
                find(&passwd, name)
                    .ok_or_else(|| format!("the user `{name}` is not in /etc/passwd of the server"))
            }
        }
    }
}

fn find(passwd: &str, name: &str) -> Option<Owner> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let is_named = fields.next() == Some(name);
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        let owner = Owner {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
        };
        is_named.then_some(owner)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_names_or_numbers() {
        let number = |uid, gid| Ok(User::Number(Owner { uid, gid }));
        assert_eq!(User::parse("1000"), number(1000, 1000));
        assert_eq!(User::parse("1000:100"), number(1000, 100));
        assert_eq!(
            User::parse("www-data"),
            Ok(User::Name("www-data".to_owned()))
        );
        for text in ["", "a b", "a:b", "1000:", "1000:x", "4294967296", "../x"] {
            assert!(User::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_are_found() {
        let passwd = "root:x:0:0:root:/:/bin/sh\nbroken\nnobody:x:65534:65533::/:/bin/false\n";
        assert_eq!(
            find(passwd, "nobody"),
            Some(Owner {
                uid: 65534,
                gid: 65533
            })
        );
        assert_eq!(find(passwd, "broken"), None);
        assert_eq!(find(passwd, "nobod"), None);
        let missing = User::Name("no-such-user-here".to_owned())
            .owner()
            .unwrap_err();
        assert!(missing.contains("`no-such-user-here`"), "{missing}");
    }
}
