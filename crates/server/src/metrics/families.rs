//! Families: every metric that the page of `/metrics` can have, with what each is for.

/// A metric by its name, as Prometheus sees it and as the reference tells it.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels of its samples, but for those that its type brings.
    pub labels: &'static [&'static str],
    /// What it is, in a sentence.
    pub help: &'static str,
    /// The question that it answers.
    pub question: &'static str,
}

/// Every family, in the order of the page.
pub static FAMILIES: [&Family; 10] = [
    &CAPTURED, &RETAINED, &APPLIED, &RETRIES, &FAILURES, &STATE, &LATENCY, &WAITS, &JOURNAL, &BUILD,
];

pub(crate) static CAPTURED: Family = Family {
    name: "instep_changes_captured_total",
    kind: "counter",
    labels: &["source"],
    help: "Changes put into the log since the process started.",
    question: "Does anything still come from the source?",
};

pub(crate) static RETAINED: Family = Family {
    name: "instep_source_retained_bytes",
    kind: "gauge",
    labels: &["source", "service"],
    help: "Bytes that a service of the source keeps because of us, such as a PostgreSQL for its slot.",
    question: "How far is it to `slot_wal_bytes_max`, and to a full disk at the source?",
};

pub(crate) static APPLIED: Family = Family {
    name: "instep_changes_applied_total",
    kind: "counter",
    labels: &["target"],
    help: "Rows written to the target since the process started.",
    question: "Does anything still arrive at the target, and how much a second?",
};

pub(crate) static RETRIES: Family = Family {
    name: "instep_retries_total",
    kind: "counter",
    labels: &["target"],
    help: "Restarts of the target's task after a fault since the process started.",
    question: "Does the target's database fail again and again?",
};

pub(crate) static FAILURES: Family = Family {
    name: "instep_failures",
    kind: "gauge",
    labels: &["target"],
    help: "Keys that the target's service refused and that are held.",
    question: "Does the copy lack rows that its database does not take?",
};

pub(crate) static STATE: Family = Family {
    name: "instep_target_state",
    kind: "gauge",
    labels: &["target", "state"],
    help: "What the target's task does (following, starting, elsewhere, retrying or stopped): 1 for \
           that state, 0 for the others.",
    question: "Which targets are at work, and which have stopped and wait for a person?",
};

pub(crate) static LATENCY: Family = Family {
    name: "instep_commit_to_apply_seconds",
    kind: "histogram",
    labels: &["target"],
    help: "How long changes took from their commit at the source until applied.",
    question: "How old is what readers of the target see?",
};

pub(crate) static WAITS: Family = Family {
    name: "instep_oldest_unapplied_timestamp_seconds",
    kind: "gauge",
    labels: &["target"],
    help: "When the oldest change that the target lacks was committed at its source.",
    question: "Since when is the target behind? There is no sample while it is not.",
};

pub(crate) static JOURNAL: Family = Family {
    name: "instep_journal_bytes",
    kind: "gauge",
    labels: &[],
    help: "The room that the log takes on its disk.",
    question: "How far is it to `journal_bytes_max`?",
};

pub(crate) static BUILD: Family = Family {
    name: "instep_build_info",
    kind: "gauge",
    labels: &["version"],
    help: "The version of this Instep; always 1.",
    question: "Which version runs where?",
};
