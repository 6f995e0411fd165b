//! Where a pass goes on.

use model::{Key, Stretch};

/// Where the next stretch of a pass begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    After(Option<Key>),
    End,
}

impl Next {
    /// Behind a stretch.
    pub(super) fn behind(stretch: &Stretch) -> Self {
        match &stretch.upto {
            Some(upto) => Next::After(Some(upto.clone())),
            None => Next::End,
        }
    }
}
