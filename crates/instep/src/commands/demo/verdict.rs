//! PURE: what is said in the end: the full comparison, and what to try next.

use super::compare::{Asked, Count, Read, Rows, recount, topics};
use super::numbers::Numbers;
use super::plan::LAST;
use super::tally::Tally;
use crate::problem::Problem;
use crate::report::{Exit, Report};
use crate::table::Table;
use model::Code;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// What was compared.
#[derive(Debug)]
pub(super) struct Compared {
    counts: Vec<Count>,
    rows: Rows,
    asked: Asked,
    legacy: Asked,
    legacy_rows: Rows,
    /// Where the shards stood.
    position: String,
}

impl Compared {
    /// Compares both platforms with their own shards; `api` is what Instep answers at `position`.
    pub(super) fn new(today: &Read, followed: &Read, api: &Numbers, position: &str) -> Self {
        let asked = |read: &Read| {
            let (mut topics, recount) = (topics(read, []), recount(&read.source));
            // It stands for an end that people do not write.
            topics.remove(LAST);
            Asked::compare(&read.answers, &recount, &topics)
        };
        Self {
            counts: Count::compare(followed, api),
            rows: Rows::compare(followed),
            asked: asked(followed),
            legacy: asked(today),
            legacy_rows: Rows::compare(today),
            position: position.to_owned(),
        }
    }

    /// Whether everything that Instep keeps equals its source.
    pub(super) fn is_right(&self) -> bool {
        self.rows.wrong() == 0 && self.counts.iter().all(Count::is_right)
    }

    /// The report of a demo.
    pub(super) fn report(&self, seed: u64, tally: &Tally, keep: Option<&Path>) -> Report {
        let text = format!("{}\n{}", self.table(), self.conclusion(keep));
        let data = self.data(seed, tally);
        if self.is_right() {
            let summary = "with Instep every answer and every row equals the source";
            let report = Report::done(summary).with(text, data);
            return steps(keep)
                .into_iter()
                .fold(report, |report, (text, command)| report.next(text, command));
        }
        let wrong = self.counts.iter().filter(|count| !count.is_right()).count();
        let what = format!(
            "Instep's side differs from its source: {wrong} groups and {} rows",
            self.rows.wrong()
        );
        let why = "a copy or a count that Instep keeps is not what its source says, at a position \
                   that it has reached: that is a bug of Instep, or somebody else wrote the files";
        let fix = "run it again with the same --seed and with --keep DIR, and report the folder";
        let problem = Problem::new(Code::Broken, what.clone(), why, fix);
        Report::failed(Exit::Differences, what, vec![problem]).with(text, data)
    }

    fn data(&self, seed: u64, tally: &Tally) -> Value {
        let different = self.legacy.different + self.legacy_rows.wrong();
        json!({
            "seed": seed,
            "changes": tally.changes,
            "kills": tally.kills,
            "hang_ups": tally.hang_ups,
            "stops_of_the_store": tally.stops,
            "position": self.position,
            "counts": self.counts,
            "copy": self.rows,
            "legacy": {
                "compared": self.legacy.compared + self.legacy_rows.compared,
                "different": different,
                "answers": self.legacy,
                "rows": self.legacy_rows,
            },
        })
    }

    /// What a person takes home.
    fn conclusion(&self, keep: Option<&Path>) -> String {
        let (answers, rows) = (self.legacy, self.legacy_rows);
        let mut text = format!(
            "today        {} of {} answers and {} of {} rows are wrong, and nobody is told which\n",
            answers.different,
            answers.compared,
            rows.wrong(),
            rows.compared
        );
        if self.is_right() {
            text.push_str("with Instep  every answer and every row equals the source\n\n");
            for (what, command) in steps(keep) {
                let _ = writeln!(text, "next:  {command}   {what}");
            }
        }
        text
    }

    fn table(&self) -> String {
        let mut table = Table::new([
            "the full comparison",
            "compared",
            "wrong",
            "missing",
            "extra",
            "different",
        ]);
        let line = |name: &str, numbers: [usize; 2], of: Option<Rows>| {
            let kinds = of.map(|rows| [rows.missing, rows.extra, rows.different]);
            let kinds = kinds.map_or([(); 3].map(|()| String::new()), |it| it.map(number));
            [name.to_owned()]
                .into_iter()
                .chain(numbers.map(number))
                .chain(kinds)
                .collect::<Vec<_>>()
        };
        for (side, asked, rows) in
            [("today", self.legacy, self.legacy_rows), ("with Instep", self.asked, self.rows)]
        {
            let name = format!("{side}: answers of the services");
            table.row(line(&name, [asked.compared, asked.different], None));
            let name = format!("{side}: rows of the quiz's copy");
            table.row(line(&name, [rows.compared, rows.wrong()], Some(rows)));
        }
        let groups = self.counts.len();
        let wrong = self.counts.iter().filter(|count| !count.is_right()).count();
        table.row(line("with Instep: groups of the count", [groups, wrong], None));
        format!("\n{table}\nCompared with every row of both shards, at {}.\n", self.position)
    }
}

fn number(number: usize) -> String {
    number.to_string()
}

/// What to try next.
fn steps(keep: Option<&Path>) -> Vec<(&'static str, String)> {
    match keep {
        Some(folder) => {
            let config = folder.join("instep.yaml");
            let instep = format!("instep --config {}", quoted(&config));
            vec![
                ("go on following these files", format!("{instep} run")),
                ("in another terminal, see how it is doing", format!("{instep} status")),
            ]
        }
        None => vec![
            (
                "look into its files, its configuration and its logs",
                "instep demo --keep ./demo".to_owned(),
            ),
            (
                "a configuration for a database of yours",
                "instep init --from sqlite:app.db".to_owned(),
            ),
        ],
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-~".contains(c);
    match path.chars().all(is_plain) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo::files::{Question, Questions};
    use crate::report::Status;

    fn read(rows: i64) -> Read {
        let question = |id: i64| {
            let topic = if id == 1 { LAST } else { "music" };
            (id, Question { topic: topic.to_owned(), text: String::new(), revision: 1 })
        };
        let source: Questions = (1..=rows).map(question).collect();
        let answers = [(); 3].map(|()| Some(recount(&source)));
        Read { copy: source.clone(), source, answers }
    }

    fn told(today: &Read, followed: &Read) -> Report {
        let api = recount(&followed.source);
        let compared = Compared::new(today, followed, &api, "a:1");
        compared.report(7, &Tally { changes: 9, kills: 2, ..Tally::default() }, None)
    }

    #[test]
    fn what_is_wrong_today_is_told_and_is_no_failure() {
        let mut today = read(5);
        today.copy.remove(&2);
        today.answers[1] = Some(recount(&today.copy));
        let report = told(&today, &read(5));
        assert_eq!((report.status, report.exit), (Status::Ok, Exit::Done));
        assert_eq!(report.data["legacy"]["compared"], 8);
        assert_eq!(report.data["legacy"]["different"], 2);
        assert_eq!(report.data["copy"]["compared"], 5);
        let music = json!({ "group": { "topic": "music" }, "source": 4, "api": 4, "copy": 4,
            "endpoints": { "question": 4, "quiz": 4, "reporting": 4 } });
        assert_eq!(report.data["counts"][0], music);
        assert_eq!((&report.data["kills"], &report.data["seed"]), (&json!(2), &json!(7)));
    }

    #[test]
    fn a_difference_on_the_side_of_instep_exits_with_three() {
        let differ: [fn(&mut Read); 4] = [
            |read| drop(read.copy.remove(&2)),
            |read| read.copy.get_mut(&3).unwrap().text.push('!'),
            |read| *read.answers[2].as_mut().unwrap().get_mut("music").unwrap() -= 1,
            |read| read.answers[0] = None,
        ];
        for differ in differ {
            let mut followed = read(5);
            differ(&mut followed);
            let report = told(&read(5), &followed);
            assert_eq!((report.status, report.exit), (Status::Differences, Exit::Differences));
            assert_eq!(report.problems.len(), 1);
        }
    }

    #[test]
    fn paths_are_quoted_for_a_shell() {
        assert_eq!(quoted(Path::new("./demo/instep.yaml")), "./demo/instep.yaml");
        assert_eq!(quoted(Path::new("it's here")), "'it'\\''s here'");
    }
}
