//! What the parts of a world are made with.

use crate::faults::Tally;
use crate::plants::Plant;
use crate::setup::Setup;
use crate::trace::Trace;

/// The seed and all that comes with it.
pub(super) struct Frame<'a> {
    pub(super) seed: u64,
    pub(super) setup: &'a Setup,
    pub(super) planted: Option<Plant>,
    pub(super) tally: &'a Tally,
    pub(super) trace: &'a Trace,
}
