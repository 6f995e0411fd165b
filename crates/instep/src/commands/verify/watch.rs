//! PURE: what comparisons that are made again and again have left behind, and the page of it that is
//! scraped.
//!
//! What is not known is not shown as nothing: differences are those of the last verdict, and there are
//! none where the last comparison came to no verdict.

use super::whole::{Sums, Whole};
use compare::Outcome;
use server::{Family, Page, Sample};

/// Every metric of the page, in its order.
pub static FAMILIES: [&Family; 8] =
    [&STATE, &DIFFERENCES, &UNSETTLED, &COMPARED, &RUNS, &IN_STEP, &LAST, &DURATION];

static STATE: Family = Family {
    name: "instep_verify_state",
    kind: "gauge",
    labels: &["table", "state"],
    help: "What the last comparison came to (in_step, diverged or unverified): 1 for that state, 0 for \
           the others.",
    question: "Is the copy equal to its source?",
};

static DIFFERENCES: Family = Family {
    name: "instep_verify_differences",
    kind: "gauge",
    labels: &["table", "kind"],
    help: "Rows of the copy that the last comparison found missing, extra, different or without the row \
           that they refer to.",
    question: "How much of the copy is wrong, and in which way?",
};

static UNSETTLED: Family = Family {
    name: "instep_verify_unsettled",
    kind: "gauge",
    labels: &["table"],
    help: "Rows that kept changing during the last comparison for as long as was waited.",
    question: "Is more patience needed?",
};

static COMPARED: Family = Family {
    name: "instep_verify_compared_rows_total",
    kind: "counter",
    labels: &["table"],
    help: "Rows of the source that were compared since the process started.",
    question: "How much is read for it?",
};

static RUNS: Family = Family {
    name: "instep_verify_runs_total",
    kind: "counter",
    labels: &["table", "outcome"],
    help: "Comparisons since the process started, by what they came to.",
    question: "How often is nobody able to tell?",
};

static IN_STEP: Family = Family {
    name: "instep_verify_last_in_step_timestamp_seconds",
    kind: "gauge",
    labels: &["table"],
    help: "When a comparison last found the copy equal to its source.",
    question: "How old is the newest proof?",
};

static LAST: Family = Family {
    name: "instep_verify_last_run_timestamp_seconds",
    kind: "gauge",
    labels: &[],
    help: "When the last comparison ended.",
    question: "Does it still compare?",
};

static DURATION: Family = Family {
    name: "instep_verify_duration_seconds",
    kind: "gauge",
    labels: &[],
    help: "How long the last comparison took.",
    question: "Is there room to compare more often?",
};

/// The words for what a comparison came to.
const STATES: [(Outcome, &str); 3] = [
    (Outcome::Equal, "in_step"),
    (Outcome::Differences, "diverged"),
    (Outcome::Unverified, "unverified"),
];

/// What comparisons of a copy have left behind.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    table: String,
    compared: u64,
    /// In the order of the states.
    runs: [u64; 3],
    last: Option<Last>,
    in_step_at: Option<i64>,
}

/// The last comparison.
#[derive(Clone, Copy, Debug)]
struct Last {
    outcome: Outcome,
    /// What it found, if it came to a verdict.
    sums: Option<Sums>,
    /// In microseconds.
    at: i64,
    took: i64,
}

/// The word for what a comparison came to.
pub(super) fn state(outcome: Outcome) -> &'static str {
    STATES.iter().find(|(it, _)| *it == outcome).map_or("unverified", |(_, word)| word)
}

impl Watch {
    /// Nothing yet, about this copy.
    pub(super) fn new(table: &str) -> Self {
        Self { table: table.to_owned(), ..Self::default() }
    }

    /// Whether any comparison has ended.
    pub(super) fn is_ready(&self) -> bool {
        self.last.is_some()
    }

    /// A comparison has ended at this time, in microseconds since 1970, after so many; without a
    /// verdict if it could not begin.
    pub(super) fn ended(&mut self, whole: Option<&Whole>, at: i64, took: i64) {
        let outcome = whole.map_or(Outcome::Unverified, Whole::outcome);
        let sums = whole.map(Whole::sums);
        for ((state, _), runs) in STATES.iter().zip(&mut self.runs) {
            *runs += u64::from(*state == outcome);
        }
        if outcome == Outcome::Equal {
            self.in_step_at = Some(at);
        }
        self.compared += sums.map_or(0, |sums| sums.compared);
        self.last = Some(Last { outcome, sums, at, took });
    }

    /// The page.
    pub(super) fn page(&self) -> String {
        let table = ("table", self.table.as_str());
        let plain = |number: String| Sample::new(&[table], number);
        let states = STATES.iter().filter_map(|(state, word)| {
            let is_it = u8::from(self.last?.outcome == *state);
            Some(Sample::new(&[table, ("state", word)], is_it.to_string()))
        });
        let sums = self.last.and_then(|last| last.sums);
        let differences = sums.into_iter().flat_map(|sums| {
            let kinds = [
                ("missing", sums.missing),
                ("extra", sums.extra),
                ("different", sums.different),
                ("orphan", sums.orphans),
            ];
            kinds.map(|(kind, rows)| Sample::new(&[table, ("kind", kind)], rows.to_string()))
        });
        let runs = STATES.iter().zip(&self.runs);
        let runs = runs
            .map(|((_, word), runs)| Sample::new(&[table, ("outcome", word)], runs.to_string()));
        let mut page = Page::default();
        page.family(&STATE, states.collect());
        page.family(&DIFFERENCES, differences.collect());
        page.family(
            &UNSETTLED,
            sums.map(|sums| plain(sums.unsettled.to_string())).into_iter().collect(),
        );
        page.family(&COMPARED, vec![plain(self.compared.to_string())]);
        page.family(&RUNS, runs.collect());
        page.family(&IN_STEP, self.in_step_at.map(|at| plain(seconds(at))).into_iter().collect());
        let whole = |micros: i64| vec![Sample::new(&[], seconds(micros))];
        page.family(&LAST, self.last.map(|last| whole(last.at)).unwrap_or_default());
        page.family(&DURATION, self.last.map(|last| whole(last.took)).unwrap_or_default());
        page.text()
    }
}

/// Microseconds as seconds.
fn seconds(micros: i64) -> String {
    format!("{}.{:06}", micros.max(0) / 1_000_000, micros.max(0) % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::super::sampled::whole;
    use super::*;

    #[test]
    fn the_page_is_that_of_the_last_comparison() {
        let mut watch = Watch::new("a\"b");
        assert!(!watch.is_ready());
        assert!(!watch.page().contains("instep_verify_state"));
        watch.ended(Some(&whole(|it| it.compared = 10)), 1_500_000, 250_000);
        watch.ended(Some(&whole(|it| (it.compared, it.extra) = (5, 2))), 3_000_000, 1);
        let page = watch.page();
        for line in [
            "instep_verify_state{table=\"a\\\"b\",state=\"in_step\"} 0",
            "instep_verify_state{table=\"a\\\"b\",state=\"diverged\"} 1",
            "instep_verify_differences{table=\"a\\\"b\",kind=\"extra\"} 2",
            "instep_verify_differences{table=\"a\\\"b\",kind=\"missing\"} 0",
            "instep_verify_unsettled{table=\"a\\\"b\"} 0",
            "instep_verify_compared_rows_total{table=\"a\\\"b\"} 15",
            "instep_verify_runs_total{table=\"a\\\"b\",outcome=\"in_step\"} 1",
            "instep_verify_runs_total{table=\"a\\\"b\",outcome=\"unverified\"} 0",
            "instep_verify_last_in_step_timestamp_seconds{table=\"a\\\"b\"} 1.500000",
            "instep_verify_last_run_timestamp_seconds 3.000000",
            "instep_verify_duration_seconds 0.000001",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}\n{page}");
        }
        let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        let known = FAMILIES.map(|family| format!("{} {}", family.name, family.kind));
        assert_eq!(types.collect::<Vec<_>>(), known);
    }

    #[test]
    fn a_comparison_that_could_not_begin_is_unverified_and_shows_no_differences() {
        let mut watch = Watch::new("t");
        watch.ended(Some(&whole(|it| it.extra = 2)), 1, 1);
        watch.ended(None, 2, 1);
        let page = watch.page();
        assert!(watch.is_ready() && !page.contains("verify_differences"), "{page}");
        assert!(page.contains("instep_verify_state{table=\"t\",state=\"unverified\"} 1"), "{page}");
        assert!(page.contains("instep_verify_runs_total{table=\"t\",outcome=\"unverified\"} 1"));
    }
}
