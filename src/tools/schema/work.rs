//! How much work one check may take. Schemas can ask for work that grows much faster than the
//! arguments (alternatives within alternatives), so it is counted, and ends.

/// The most hostile arguments end after about a quarter of a second; a megabyte of two hundred thousand
/// numbers in strings takes half of the steps.
const STEPS_MAX: usize = 16_000_000;

/// Steps that are left.
#[derive(Debug)]
pub(super) struct Work {
    left: usize,
}

impl Work {
    /// What one check is given.
    pub(super) fn new() -> Work {
        Work { left: STEPS_MAX }
    }

    /// Takes some; false once there were not enough left, and from then on.
    pub(super) fn take(&mut self, steps: usize) -> bool {
        match self.left.checked_sub(steps) {
            Some(left) => self.left = left,
            None => self.left = 0,
        }
        self.left > 0
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.left == 0
    }
}
