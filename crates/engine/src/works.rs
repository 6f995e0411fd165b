//! Works: everything that one instance brings forward, as it is run, and as it is seen and asked
//! from outside.
//!
//! ```text
//!   whole               what there is; runs all of it
//!   ├─ status           how each source, copy and count is doing
//!   ├─ values           what a count is, at a position or later
//!   ├─ kindred          which of the values that are written alike is meant
//!   └─ failures         the keys that targets refused; what a person can do about them
//! ```

mod failures;
mod kindred;
mod status;
mod values;
mod whole;

pub use failures::{Failure, NotDecided};
pub use status::{
    CopyPhase, CopyStatus, CountStatus, LaneStatus, LogStatus, ServiceStatus, SourceStatus,
    TargetState, TargetStatus, Verdict,
};
pub use values::{Answered, AtLeast, BadPosition, Page, Unanswered};
pub use whole::{Followed, KeptCopy, KeptCount, Shard, Tokens, Works};
