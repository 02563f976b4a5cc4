//! How long it takes to refuse a wrong token, by where it is wrong: what somebody would measure who guesses. See
//! `benches/README.md`.

#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::rc::Rc;
use std::time::Instant;

use siskin::gate::auth::{Auth, Tokens};
use siskin::gate::{Principal, Scope, Scopes};

const TOKENS: usize = 16;
const TOKEN: &str = "m4Xv8Qn2Lr7Tz1Ks9Wd3Hb6Yc0Pf5GjA";
/// Beyond it two classes of this many samples are told apart: the bound of "dude, is my code constant time?" (Reparaz and others, 2017).
const T_MAX: f64 = 4.5;
/// Of so many samples the slowest is what else the machine did.
const SLOWEST: usize = 20;

fn main() {
    // Cargo says `--bench` too.
    let mut numbers = std::env::args().filter_map(|text| text.parse().ok());
    let samples: usize = numbers.next().unwrap_or(100_000);
    let auth = auth();
    let wrong_at = |at: usize| {
        let mut token = TOKEN.to_owned();
        token.replace_range(at..=at, "~");
        format!("Bearer {token}")
    };
    // The same length, so that hashing takes the same; the first one has a twin, which says what the machine makes of equals.
    let classes = [
        ("first character wrong", wrong_at(0)),
        ("the same again", wrong_at(0)),
        ("last character wrong", wrong_at(TOKEN.len() - 1)),
        (
            "all characters wrong",
            format!("Bearer {}", "~".repeat(TOKEN.len())),
        ),
        (
            "right but for its case",
            format!("Bearer {}", TOKEN.to_lowercase()),
        ),
    ];
    let mut times: Vec<Vec<f64>> = vec![Vec::with_capacity(samples); classes.len()];
    // In turn, in an order that no period of the machine follows.
    let mut order = 1_u64;
    for _ in 0..samples * classes.len() {
        order = order
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let class = usize::try_from(order >> 33).unwrap_or(0) % classes.len();
        let begun = Instant::now();
        let answer = black_box(auth.admit(black_box(Some(&classes[class].1)), 0));
        let taken = begun.elapsed();
        assert!(answer.is_err(), "a wrong token came in");
        times[class].push(taken.as_nanos() as f64);
    }
    println!(
        "{samples} samples of each, {TOKENS} tokens, times in ns without the slowest {} %",
        100 / SLOWEST
    );
    println!(
        "{:<24} {:>8} {:>8} {:>8} {:>8}",
        "", "median", "mean", "deviation", "t"
    );
    let first = Figures::of(&mut times[0].clone());
    for ((name, _), times) in classes.iter().zip(&mut times) {
        let figures = Figures::of(times);
        let t = figures.t(&first);
        let word = if t.abs() < T_MAX { "" } else { "  told apart" };
        println!(
            "{name:<24} {:>8.0} {:>8.1} {:>9.1} {t:>8.2}{word}",
            figures.median,
            figures.mean,
            figures.variance.sqrt()
        );
    }
}

/// Tokens as a configuration has them; the one that is guessed in their middle.
fn auth() -> Auth {
    let mut tokens = Tokens::default();
    for index in 0..TOKENS {
        let token = match index == TOKENS / 2 {
            true => TOKEN.to_owned(),
            false => format!("another-token-{index}"),
        };
        let principal = Principal {
            name: format!("caller-{index}").into(),
            scopes: Scopes::NONE.with(Scope::Read),
            tools: Rc::new([]),
        };
        tokens.add(&token, principal).expect("these are sound");
    }
    Auth::Tokens(tokens)
}

struct Figures {
    count: f64,
    median: f64,
    mean: f64,
    variance: f64,
}

impl Figures {
    fn of(times: &mut Vec<f64>) -> Figures {
        times.sort_by(f64::total_cmp);
        times.truncate(times.len() - times.len() / SLOWEST);
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Figures {
            count,
            median: times[times.len() / 2],
            mean,
            variance,
        }
    }

    /// Welch's t of this class against another.
    fn t(&self, other: &Figures) -> f64 {
        let error = self.variance / self.count + other.variance / other.count;
        if error == 0.0 {
            return 0.0;
        }
        (self.mean - other.mean) / error.sqrt()
    }
}
