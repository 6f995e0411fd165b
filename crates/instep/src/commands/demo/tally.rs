//! What has happened so far, in numbers.

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Changes made to the questions, the same on both sides.
    pub(super) changes: usize,
    /// How often Instep was killed.
    pub(super) kills: usize,
    /// How many clients of each side closed their connection before the answer.
    pub(super) hang_ups: usize,
    /// How often the reporting stores took no writes for a while.
    pub(super) stops: usize,
}
