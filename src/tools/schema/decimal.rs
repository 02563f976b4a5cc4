//! Numbers as JSON writes them: decimal digits and an exponent. Comparing, dividing and telling
//! integers apart this way is exact for 2^53 + 1 as well as for 0.1, which binary floats are not.

use std::cmp::Ordering;

use serde_json::Number;

/// Longer texts are no numbers to us; the shortest form of any JSON number fits.
const TEXT_BYTES_MAX: usize = 40;

/// A number. Invariant: `digits` has no factor ten, and zero is neither negative nor scaled; equal
/// numbers are therefore equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    /// At most 10^20, which is what `compare` counts on.
    digits: u128,
    exponent: i32,
}

/// More significant digits than any number has that serde_json hands over.
const DIGITS_MAX: u128 = 100_000_000_000_000_000_000;

impl Decimal {
    /// Every JSON number is one.
    pub(super) fn of(number: &Number) -> Decimal {
        let decimal = match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Decimal::new(false, number.into(), 0),
            (None, Some(number)) => Decimal::new(true, number.unsigned_abs().into(), 0),
            // The shortest text that reads back as this float: at most 17 digits.
            (None, None) => Decimal::parse(&number.to_string()),
        };
        decimal.unwrap_or(Decimal {
            negative: false,
            digits: 0,
            exponent: 0,
        })
    }

    /// Reads a text with the grammar of RFC 8259 section 6: no spaces, no `+5`, no `05`.
    pub(super) fn parse(text: &str) -> Option<Decimal> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (number, exponent) = match rest.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, parse_exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = match number.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (number, ""),
        };
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        let mut digits: u128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return None;
            }
            digits = digits
                .checked_mul(10)?
                .checked_add(u128::from(byte.wrapping_sub(b'0')))?;
        }
        let scale = i32::try_from(fraction.len()).ok()?;
        Decimal::new(negative, digits, exponent.checked_sub(scale)?)
    }

    fn new(negative: bool, mut digits: u128, mut exponent: i32) -> Option<Decimal> {
        while digits != 0 && digits.is_multiple_of(10) {
            digits /= 10;
            exponent = exponent.checked_add(1)?;
        }
        if digits == 0 {
            exponent = 0;
        }
        (digits <= DIGITS_MAX).then_some(Decimal {
            negative: negative && digits != 0,
            digits,
            exponent,
        })
    }

    /// Whether it is whole: 5.0 is.
    pub(super) fn is_integer(self) -> bool {
        self.exponent >= 0
    }

    pub(super) fn is_positive(self) -> bool {
        !self.negative && self.digits != 0
    }

    /// The same as a JSON integer, if it is one of at most 64 bits.
    pub(super) fn to_integer(self) -> Option<Number> {
        let scale = 10_u128.checked_pow(u32::try_from(self.exponent).ok()?)?;
        let magnitude = self.digits.checked_mul(scale)?;
        if self.negative {
            let negative = 0_i128.checked_sub_unsigned(magnitude)?;
            return i64::try_from(negative).ok().map(Number::from);
        }
        u64::try_from(magnitude).ok().map(Number::from)
    }

    /// A text that equal numbers share.
    pub(super) fn canonical(self) -> String {
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}e{}", self.digits, self.exponent)
    }

    pub(super) fn compare(self, other: Decimal) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_magnitude(other),
            (true, true) => other.compare_magnitude(self),
        }
    }

    fn compare_magnitude(self, other: Decimal) -> Ordering {
        if self.digits == 0 || other.digits == 0 {
            return self.digits.cmp(&other.digits);
        }
        // Where the first digit stands decides, unless it is the same place. Then the exponents
        // differ by less than the 21 digits there may be, and the shorter number is padded.
        let place = |number: Decimal| number.exponent.saturating_add(digits_of(number.digits));
        place(self).cmp(&place(other)).then_with(|| {
            let lowest = self.exponent.min(other.exponent);
            let padded = |number: Decimal| {
                let by = u32::try_from(number.exponent.saturating_sub(lowest)).unwrap_or(0);
                number.digits.saturating_mul(10_u128.saturating_pow(by))
            };
            padded(self).cmp(&padded(other))
        })
    }

    /// Whether it is a whole number of times `step`, which is positive.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "the step is not zero, and both are below `DIGITS_MAX`"
    )]
    pub(super) fn is_multiple_of(self, step: Decimal) -> bool {
        if self.digits == 0 || step.digits == 0 {
            return self.digits == 0;
        }
        let scale = self.exponent.saturating_sub(step.exponent);
        let power = scale.unsigned_abs();
        if scale >= 0 {
            return (0..power)
                // Once nothing remains, nothing will.
                .try_fold(self.digits % step.digits, |rest, _| match rest {
                    0 => None,
                    // Both factors are far below the square root of what fits.
                    rest => Some(rest * 10 % step.digits),
                })
                .is_none_or(|rest| rest == 0);
        }
        // A step with more digits than the number has cannot go into it.
        10_u128
            .checked_pow(power)
            .and_then(|scale| step.digits.checked_mul(scale))
            .is_some_and(|step| self.digits.is_multiple_of(step))
    }
}

fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // A longer exponent is beyond every float; `1e0000005` is nobody's number.
    const DIGITS_MAX: usize = 4;
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let exponent: i32 = digits.parse().ok()?;
    Some(if text.starts_with('-') {
        exponent.wrapping_neg()
    } else {
        exponent
    })
}

fn digits_of(number: u128) -> i32 {
    let below = number.checked_ilog10().unwrap_or(0);
    i32::try_from(below).unwrap_or(0).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        let number: Number = serde_json::from_str(text).unwrap();
        let decimal = Decimal::of(&number);
        assert_eq!(Decimal::parse(text), Some(decimal), "{text}");
        decimal
    }

    #[test]
    fn numbers_are_read_as_json_writes_them() {
        for text in ["0", "-0", "5", "5.0", "0.1", "-1e-7", "1E+2", "1e308"] {
            decimal(text);
        }
        for text in [
            "", "-", "+5", "05", "5.", ".5", " 5", "5 ", "1e", "1e+", "0x5", "NaN", "1_0", "٣",
            "5.-",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::parse(&"1".repeat(41)), None);
        assert_eq!(decimal("5.0"), decimal("5"));
        assert_eq!(decimal("-0.0"), decimal("0"));
    }

    #[test]
    fn order_is_exact() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expected) in [
            ("9007199254740993", "9007199254740992", Greater),
            ("18446744073709551615", "18446744073709551614", Greater),
            ("-9223372036854775808", "-9223372036854775807", Less),
            ("9007199254740993", "9007199254740992.0", Greater),
            ("0.1", "0.2", Less),
            ("-1", "1e-300", Less),
            ("1e300", "18446744073709551615", Greater),
            ("1e-300", "0", Greater),
            ("100", "1e2", Equal),
            ("2.5", "25e-1", Equal),
            ("-2", "-10", Greater),
        ] {
            assert_eq!(decimal(a).compare(decimal(b)), expected, "{a} {b}");
            assert_eq!(
                decimal(b).compare(decimal(a)),
                expected.reverse(),
                "{b} {a}"
            );
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, step, expected) in [
            ("0.3", "0.1", true),
            ("0.35", "0.1", false),
            ("19.99", "0.01", true),
            ("9007199254740993", "3", true),
            ("9007199254740992", "3", false),
            ("1e300", "7", false),
            ("1e300", "0.5", true),
            ("0", "5", true),
            ("1e-300", "1e300", false),
            ("-10", "5", true),
            ("4.5", "1.5", true),
        ] {
            let (number, step) = (decimal(number), decimal(step));
            assert_eq!(number.is_multiple_of(step), expected, "{number:?} {step:?}");
        }
    }

    #[test]
    fn integers_keep_every_digit() {
        for (text, expected) in [
            ("9007199254740993", Some("9007199254740993")),
            ("18446744073709551615", Some("18446744073709551615")),
            ("18446744073709551616", None),
            ("-9223372036854775808", Some("-9223372036854775808")),
            ("-9223372036854775809", None),
            ("5.0", Some("5")),
            ("1e3", Some("1000")),
            ("5.5", None),
            ("1e300", None),
        ] {
            let integer = Decimal::parse(text).unwrap().to_integer();
            let integer = integer.map(|number| number.to_string());
            assert_eq!(integer.as_deref(), expected, "{text}");
        }
    }
}
