//! Walk: how far the reader has come with a pass, and how far its target has followed.

use crate::ask::PassWish;
use crate::limits::Limits;
use model::{Key, Stretch};
use tokio::time::Instant;

/// How far the reader has come with a pass.
pub(super) struct Walk {
    pub(super) wish: PassWish,
    /// The next stretch begins here.
    read: Next,
    placed: Next,
    /// The ends of the stretches that were read and that the target has not taken yet.
    ahead: Vec<Next>,
    /// Not before this.
    pub(super) due: Instant,
    /// When it was last its turn: passes take turns.
    pub(super) turn: u64,
}

/// A place in a table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    After(Option<Key>),
    End,
}

impl Walk {
    /// Begins where the target stands.
    pub(super) fn new(wish: PassWish) -> Self {
        let next = Next::After(wish.upto.clone());
        let (ahead, due) = (Vec::new(), Instant::now());
        Self { wish, read: next.clone(), placed: next, ahead, due, turn: 0 }
    }

    /// The next stretch to be read; none at the table's end, and none while the target has too many
    /// still to take: what is placed for a slow one would only fill the log.
    pub(super) fn next(&self, limits: &Limits) -> Option<PassWish> {
        match &self.read {
            Next::After(after) if self.ahead.len() < limits.stretches_ahead_max => {
                Some(PassWish { upto: after.clone(), ..self.wish.clone() })
            }
            Next::After(_) | Next::End => None,
        }
    }

    /// The target has come this far. Stretches are placed without a hole between them, so none that
    /// ends here or before is still to be waited for.
    pub(super) fn taken(&mut self, upto: Option<&Key>) {
        let taken = Next::After(upto.cloned());
        self.ahead.retain(|end| *end > taken);
    }

    /// A stretch was read; not if the walk has begun anew, or gone back, meanwhile.
    pub(super) fn has_read(&mut self, stretch: &Stretch) -> bool {
        let goes_on = self.read == Next::before(stretch);
        if goes_on {
            self.read = Next::behind(stretch);
            self.ahead.push(self.read.clone());
        }
        goes_on
    }

    /// A stretch was placed. One behind a stretch that was dropped is of no use to its target.
    pub(super) fn has_placed(&mut self, stretch: &Stretch) {
        if self.placed == Next::before(stretch) {
            self.placed = Next::behind(stretch);
        }
    }

    /// Whether all of it stands in the log, so that whatever is placed from now on comes behind it.
    pub(super) fn is_placed(&self) -> bool {
        self.placed == Next::End
    }

    /// What was read and not placed is to be read again.
    pub(super) fn go_back(&mut self) {
        self.read = self.placed.clone();
        self.ahead.retain(|end| *end <= self.placed);
    }
}

impl Next {
    fn before(stretch: &Stretch) -> Self {
        Next::After(stretch.after.clone())
    }

    fn behind(stretch: &Stretch) -> Self {
        match &stretch.upto {
            Some(upto) => Next::After(Some(upto.clone())),
            None => Next::End,
        }
    }
}
