//! A pattern as a program whose states are all followed at once (Thompson's construction), so that
//! no text takes longer than its length times the program's.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "what points to a step or a set was made with it, and there are few of both: see `STEPS_MAX`"
)]

use super::super::work::Work;
use super::parse::{Assertion, Piece};
use super::set::Set;

/// Most steps a pattern may come to; `{n}` writes its piece out n times.
const STEPS_MAX: usize = 2000;

/// Invariant: every target is a step; `Match` is the last one.
#[derive(Clone, Debug)]
pub(super) struct Program {
    steps: Vec<Step>,
    sets: Vec<Set>,
    /// Whether a match can begin only where the text does.
    is_anchored: bool,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Goes on with the next step here only.
    Assert(Assertion),
    /// Goes on at both.
    Fork(usize, usize),
    Go(usize),
    Match,
    /// Takes a character of this set, then the next step.
    Take(usize),
}

impl Program {
    pub(super) fn new(piece: &Piece) -> Result<Program, String> {
        let mut program = Program {
            steps: Vec::new(),
            sets: Vec::new(),
            is_anchored: false,
        };
        program.add(piece)?;
        program.push(Step::Match)?;
        // Nothing jumps to the first step of a pattern that begins with a place.
        program.is_anchored = matches!(program.steps.first(), Some(Step::Assert(Assertion::Start)));
        Ok(program)
    }

    fn push(&mut self, step: Step) -> Result<usize, String> {
        if self.steps.len() >= STEPS_MAX {
            return Err(format!(
                "comes to more than {STEPS_MAX} steps; repeat less, or check the length by `maxLength`"
            ));
        }
        self.steps.push(step);
        Ok(self.steps.len() - 1)
    }

    fn add(&mut self, piece: &Piece) -> Result<(), String> {
        match piece {
            Piece::Assertion(assertion) => {
                self.push(Step::Assert(*assertion))?;
            }
            Piece::One(set) => {
                let known = self.sets.iter().position(|known| known == set);
                let index = known.unwrap_or_else(|| {
                    self.sets.push(set.clone());
                    self.sets.len() - 1
                });
                self.push(Step::Take(index))?;
            }
            Piece::Sequence(pieces) => {
                for piece in pieces {
                    self.add(piece)?;
                }
            }
            Piece::Alternatives(pieces) => self.add_alternatives(pieces)?,
            Piece::Repeated { piece, least, most } => self.add_repeated(piece, *least, *most)?,
        }
        Ok(())
    }

    fn add_alternatives(&mut self, pieces: &[Piece]) -> Result<(), String> {
        let mut ends = Vec::with_capacity(pieces.len());
        for (index, piece) in pieces.iter().enumerate() {
            if index + 1 == pieces.len() {
                self.add(piece)?;
                break;
            }
            let fork = self.push(Step::Go(0))?;
            self.add(piece)?;
            ends.push(self.push(Step::Go(0))?);
            self.steps[fork] = Step::Fork(fork + 1, self.steps.len());
        }
        for end in ends {
            self.steps[end] = Step::Go(self.steps.len());
        }
        Ok(())
    }

    fn add_repeated(&mut self, piece: &Piece, least: u32, most: Option<u32>) -> Result<(), String> {
        for _ in 0..least {
            self.add_counted(piece)?;
        }
        let Some(most) = most else {
            let fork = self.push(Step::Go(0))?;
            self.add(piece)?;
            self.push(Step::Go(fork))?;
            self.steps[fork] = Step::Fork(fork + 1, self.steps.len());
            return Ok(());
        };
        let mut forks = Vec::new();
        for _ in least..most {
            forks.push(self.push(Step::Go(0))?);
            self.add(piece)?;
        }
        for fork in forks {
            self.steps[fork] = Step::Fork(fork + 1, self.steps.len());
        }
        Ok(())
    }

    /// A copy that takes at least one step: `((){1000}){1000}` would else cost time and no step.
    fn add_counted(&mut self, piece: &Piece) -> Result<(), String> {
        let before = self.steps.len();
        self.add(piece)?;
        if self.steps.len() == before {
            self.push(Step::Go(before + 1))?;
        }
        Ok(())
    }

    pub(super) fn matches(&self, text: &str, work: &mut Work) -> bool {
        // Making the states ready costs too.
        work.take(self.steps.len() / 16);
        let mut now = States::new(self.steps.len());
        let mut next = States::new(self.steps.len());
        let mut before: Option<char> = None;
        let mut chars = text.chars();
        loop {
            let here = chars.next();
            if !self.is_anchored || before.is_none() {
                now.pending.push(0);
            }
            if self.follow(&mut now, before, here) {
                return true;
            }
            if now.taking.is_empty() && self.is_anchored {
                return false;
            }
            // What following one character costs is known before the next.
            if !work.take(2 * now.visited + 1) {
                return false;
            }
            let Some(c) = here else { return false };
            for (set, step) in &now.taking {
                if self.sets[*set].contains(c) {
                    next.pending.push(step + 1);
                }
            }
            now.clear();
            std::mem::swap(&mut now, &mut next);
            before = Some(c);
        }
    }

    /// Follows everything that takes no character; whether the end was among it.
    fn follow(&self, states: &mut States, before: Option<char>, here: Option<char>) -> bool {
        while let Some(step) = states.pending.pop() {
            if std::mem::replace(&mut states.seen[step], true) {
                continue;
            }
            states.visited += 1;
            states.trail.push(step);
            match self.steps[step] {
                Step::Match => return true,
                Step::Take(set) => states.taking.push((set, step)),
                Step::Go(target) => states.pending.push(target),
                Step::Fork(first, second) => states.pending.extend([second, first]),
                Step::Assert(assertion) if holds(assertion, before, here) => {
                    states.pending.push(step + 1);
                }
                Step::Assert(_) => (),
            }
        }
        false
    }
}

/// The states of a program between two characters.
struct States {
    seen: Vec<bool>,
    /// Which of `seen` are set.
    trail: Vec<usize>,
    /// Still to be followed.
    pending: Vec<usize>,
    /// Steps that wait for a character, with the set it must be of.
    taking: Vec<(usize, usize)>,
    visited: usize,
}

impl States {
    fn new(steps: usize) -> States {
        States {
            seen: vec![false; steps],
            trail: Vec::new(),
            pending: Vec::new(),
            taking: Vec::new(),
            visited: 0,
        }
    }

    fn clear(&mut self) {
        for step in self.trail.drain(..) {
            self.seen[step] = false;
        }
        self.pending.clear();
        self.taking.clear();
        self.visited = 0;
    }
}

fn holds(assertion: Assertion, before: Option<char>, here: Option<char>) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    match assertion {
        Assertion::Start => before.is_none(),
        Assertion::End => here.is_none(),
        Assertion::WordBoundary => is_word(before) != is_word(here),
        Assertion::NoWordBoundary => is_word(before) == is_word(here),
    }
}
