//! Views: what answers say, field by field. They change by addition only.
//!
//! Must not know: the engine, which has types of its own that are never sent.

use serde::Serialize;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Whether the process runs, or takes work.
#[derive(Serialize, ToSchema)]
pub(crate) struct StandingView {
    /// `live` or `ready`.
    pub(crate) status: &'static str,
}

/// Everything of an instance.
#[derive(Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// The version of Instep.
    pub(crate) version: &'static str,
    /// The worst that is known of any copy or count.
    pub(crate) state: StateView,
    /// The sources.
    pub(crate) sources: Vec<SourceView>,
    /// The log; null while it can not be asked.
    pub(crate) log: Option<LogView>,
    /// The copies.
    pub(crate) copies: Vec<CopyView>,
    /// The counts.
    pub(crate) counts: Vec<CountBriefView>,
    /// What is wrong now.
    pub(crate) problems: Vec<TroubleView>,
}

/// What is known of a copy or a count. Later versions also say `in_step` and `catching_up`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StateView {
    /// Nobody has compared it with its source.
    #[default]
    Unverified,
    /// It is known to differ from its source.
    Diverged,
}

/// A source.
#[derive(Serialize, ToSchema)]
pub(crate) struct SourceView {
    /// Its name.
    pub(crate) name: String,
    /// The services that it lives in, one for each shard.
    pub(crate) services: Vec<ServiceView>,
}

/// A shard of a source.
#[derive(Serialize, ToSchema)]
pub(crate) struct ServiceView {
    /// The service.
    pub(crate) name: String,
    /// Whether it is being followed now.
    pub(crate) connected: bool,
    /// Up to where the log has it.
    pub(crate) position: Option<String>,
    /// Bytes that the service keeps because of us, such as a PostgreSQL for its slot; not there where
    /// it does not count them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retained_bytes: Option<u64>,
}

/// The log.
#[derive(Serialize, ToSchema)]
pub(crate) struct LogView {
    /// What kind of log it is.
    pub(crate) kind: &'static str,
    /// The room that it takes.
    pub(crate) bytes: u64,
    /// Its lanes.
    pub(crate) lanes: Vec<LaneView>,
}

/// A lane of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct LaneView {
    /// Source and service.
    pub(crate) lane: String,
    /// What is at or before this may be trimmed.
    pub(crate) first: Option<String>,
    /// Its end.
    pub(crate) last: Option<String>,
}

/// The copies.
#[derive(Serialize, ToSchema)]
pub(crate) struct CopiesView {
    /// In the order of the configuration.
    pub(crate) copies: Vec<CopyView>,
}

/// A copy.
#[derive(Serialize, ToSchema)]
pub(crate) struct CopyView {
    /// Its name.
    pub(crate) name: String,
    /// Source and table.
    pub(crate) of: String,
    /// Service and table that it is in.
    pub(crate) to: String,
    /// The services of its source whose changes another instance writes to it now, so that what is
    /// said here is as the copy's own service has it; empty where this one writes them all.
    pub(crate) elsewhere: Vec<String>,
    /// What happens to it now.
    pub(crate) phase: PhaseView,
    /// What is known of it.
    pub(crate) state: StateView,
    /// Where it equals its source, but for its failures; null while it has no such place.
    pub(crate) position: Option<String>,
    /// Changes in the log that it does not have yet; null while that is not known.
    pub(crate) lag_changes: Option<u64>,
    /// Keys that its service refused.
    pub(crate) failures: usize,
    /// How far it has come; null unless it is filled or bridged.
    pub(crate) progress: Option<ProgressView>,
    /// Up to when it was proven equal to its source.
    pub(crate) verified_through: Option<String>,
}

/// How far a copy has come while it is filled or bridged.
#[derive(Serialize, ToSchema)]
pub(crate) struct ProgressView {
    /// Rows of the source that it holds; null after a restart in the middle.
    pub(crate) rows_done: Option<u64>,
    /// Rows that the source is thought to have; null where it does not say.
    pub(crate) rows_estimated: Option<u64>,
    /// How fast they came in the last half minute; null in the first second.
    pub(crate) rows_per_second: Option<u64>,
    /// How long the rest takes at that speed; null where any of the others is, or there are more
    /// rows than were estimated.
    pub(crate) eta_seconds: Option<u64>,
}

/// What happens to a copy now.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PhaseView {
    /// It takes changes as they come.
    Following,
    /// It is filled from its source.
    Filling,
    /// It is compared with its source, because changes were lost.
    Bridging,
    /// The log was let go of; it will be bridged.
    Detached,
    /// It needs a person.
    Stopped,
}

/// A count, in short.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountBriefView {
    /// Its name.
    pub(crate) name: String,
    /// What is known of it.
    pub(crate) state: StateView,
    /// Where its numbers are true; null while they can not be told.
    pub(crate) position: Option<String>,
}

/// The counts.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountsView {
    /// In the order of the configuration.
    pub(crate) counts: Vec<CountView>,
}

/// A count.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountView {
    /// Its name.
    pub(crate) name: String,
    /// The columns that it groups by.
    pub(crate) by: Vec<String>,
    /// What is known of it.
    pub(crate) state: StateView,
    /// Where its numbers are true; null while they can not be told.
    pub(crate) position: Option<String>,
}

/// What a count is: one number, or the numbers of many groups.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ToldView {
    /// All columns were given.
    Number(NumberView),
    /// Some were not.
    Page(PageView),
}

/// One number of a count.
#[derive(Serialize, ToSchema)]
pub(crate) struct NumberView {
    /// The count's name.
    pub(crate) name: String,
    /// The values of its columns.
    pub(crate) group: BTreeMap<String, Json>,
    /// How many rows; 0 for a group that no row is in.
    #[schema(minimum = 0)]
    pub(crate) value: i64,
    /// Where this is true.
    pub(crate) position: String,
    /// The source's clock there; null where the source has not answered since the start.
    #[schema(format = DateTime)]
    pub(crate) as_of: Option<String>,
    /// Up to when the count was proven right.
    pub(crate) verified_through: Option<String>,
    /// What is known of the count.
    pub(crate) state: StateView,
}

/// Numbers of a count.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageView {
    /// The count's name.
    pub(crate) name: String,
    /// Where all of them are true.
    pub(crate) position: String,
    /// The source's clock there; null where the source has not answered since the start.
    #[schema(format = DateTime)]
    pub(crate) as_of: Option<String>,
    /// Up to when the count was proven right.
    pub(crate) verified_through: Option<String>,
    /// What is known of the count.
    pub(crate) state: StateView,
    /// The groups that some row is in, in order.
    pub(crate) values: Vec<GroupView>,
    /// Given as `after`, what follows; null at the end.
    pub(crate) next: Option<String>,
}

/// One group with its number.
#[derive(Serialize, ToSchema)]
pub(crate) struct GroupView {
    /// The values of the columns.
    pub(crate) group: BTreeMap<String, Json>,
    /// How many rows.
    #[schema(minimum = 1)]
    pub(crate) value: i64,
}

/// Keys that services refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailuresView {
    /// The oldest first.
    pub(crate) failures: Vec<FailureView>,
    /// Given as `after`, what follows; null at the end.
    pub(crate) next: Option<String>,
}

/// A key that a service refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailureView {
    /// Names it, in every run.
    pub(crate) id: String,
    /// The copy.
    pub(crate) target: String,
    /// The source table.
    pub(crate) table: String,
    /// The values of the key.
    pub(crate) key: Vec<Json>,
    /// Why, in the service's words.
    pub(crate) reason: String,
    /// Since when, by the service's clock.
    #[schema(format = DateTime)]
    pub(crate) since: String,
    /// How often it was tried again since the process started.
    pub(crate) attempts: u32,
    /// When it is tried again; null where nobody writes its target.
    pub(crate) next_retry: Option<String>,
}

/// What was decided about a failure.
#[derive(Serialize, ToSchema)]
pub(crate) struct DecidedView {
    /// The failure.
    pub(crate) id: String,
    /// `retrying` or `discarded`.
    pub(crate) status: &'static str,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct TroubleView {
    /// The code, which stays the same over versions.
    pub(crate) code: String,
    /// What is wrong, and with what.
    pub(crate) what: String,
    /// Why it comes up.
    pub(crate) why: String,
    /// What to do.
    pub(crate) fix: String,
}
