//! The arguments of `instep verify`, as they are typed.

use super::amount::{share, time, whole_share};
use clap::{Args, ValueEnum};
use compare::Rule;
use std::net::SocketAddr;
use std::time::Duration;

/// What stands above the help of the command.
pub(super) const EXAMPLES: &str = "Examples:
  instep verify --source 'postgres://app@db/quiz?table=public.questions' --copy 'sqlite:app.db?table=questions'
  instep verify --copy search                    a copy of ./instep.yaml
  instep verify --copy search --show-values      with what each side has
  instep verify --copy search --output sql       statements that would mend the copy; never run
  instep verify --source URL --copy URL --newest 100000 --by id        what came last
  instep verify --source URL --copy URL --counts by=topic_id           numbers in place of rows
  instep verify --copy search --every 5m --listen 127.0.0.1:9464       again and again, with metrics";

/// What stands below it.
pub(super) const EXITS: &str = "Exits with 0 if every row was read on both sides and is the same, with 3 if \
                     differences settled, else with 6 if anything could not be compared or did not \
                     settle. A password belongs into a configuration, or into the URL of a shell \
                     variable; it is never shown.";

/// What to compare, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct VerifyArguments {
    /// The table that is right: postgres://USER@SERVER/DATABASE?table=SCHEMA.NAME, or
    /// sqlite:PATH?table=NAME.
    #[arg(long, value_name = "URL", requires = "copy")]
    pub source: Option<String>,
    /// The table that should be like it, as a URL; or the name of a copy of the configuration, which
    /// says where its source is.
    #[arg(long, value_name = "URL|NAME")]
    pub copy: Option<String>,

    /// Compare only rows for which this condition holds, on both sides.
    #[arg(long = "where", value_name = "SQL", help_heading = "What is compared")]
    pub condition: Option<String>,
    /// The condition of the copy, where its columns have other names or its SQL is another.
    #[arg(long, value_name = "SQL", help_heading = "What is compared")]
    pub copy_where: Option<String>,
    /// Compare only these columns, by their names in the copy; without it all that both sides have.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "What is compared")]
    pub columns: Vec<String>,
    /// Leave these columns out, by their names in the copy.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "What is compared")]
    pub leave_out: Vec<String>,
    /// A column of the copy that is called otherwise at the source; may be given several times.
    #[arg(long, value_name = "COPY=SOURCE", value_parser = pair, help_heading = "What is compared")]
    pub map: Vec<(String, String)>,
    /// The columns that tell rows apart, by their names in the copy; without it the primary key.
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', help_heading = "What is compared")]
    pub key: Vec<String>,
    /// What makes two values of a column the same: exact, worth, trim, single, seconds, ms, digits:N
    /// or null-as-missing; may be given several times.
    #[arg(long, value_name = "COLUMN=RULE", value_parser = treated, help_heading = "What is compared")]
    pub treat: Vec<(String, Rule)>,
    /// Compare stretches drawn at random, about so much of the table.
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with = "newest",
          help_heading = "What is compared")]
    pub sample: Option<f64>,
    /// Compare the rows with the greatest values of a column.
    #[arg(long, value_name = "ROWS", requires = "by", help_heading = "What is compared",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub newest: Option<u64>,
    /// That column, by its name in the copy.
    #[arg(long, value_name = "COLUMN", requires = "newest", help_heading = "What is compared")]
    pub by: Option<String>,
    /// A column whose values have to be keys of another table; may be given several times.
    #[arg(long, value_name = "COLUMN=TABLE.KEY", value_parser = refers, help_heading = "What is compared")]
    pub references: Vec<Refers>,
    /// Compare numbers of rows by these columns, in place of rows; with value=COLUMN the copy keeps
    /// the numbers there. Without a column after by= it is one number of all rows.
    #[arg(long, value_name = "by=COLUMN,…[,value=COLUMN]", value_parser = counts,
          conflicts_with_all = ["sample", "newest", "columns", "leave_out", "key", "references"],
          help_heading = "What is compared")]
    pub counts: Option<CountsBy>,

    /// A row counts as different once it stays so for this long, while the source's row stands still.
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = time,
          help_heading = "How it is compared")]
    pub settle: Duration,
    /// How long rows that keep changing are waited for; 30s, or twice the time of --settle.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "How it is compared")]
    pub patience: Option<Duration>,
    /// How much of the time each connection may keep its server busy.
    #[arg(long, value_name = "SHARE", value_parser = whole_share, default_value = "100%",
          help_heading = "How it is compared")]
    pub max_load: u32,
    /// How many stretches are compared at once, 1 to 16.
    #[arg(long, value_name = "NUMBER", default_value_t = 2, help_heading = "How it is compared",
          value_parser = clap::value_parser!(u8).range(1..=16))]
    pub connections: u8,
    /// Compare again, each time so long after the last one began, until told to stop.
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "How it is compared")]
    pub every: Option<Duration>,
    /// Answer /metrics, /livez and /readyz there meanwhile.
    #[arg(long, value_name = "ADDRESS", requires = "every", help_heading = "How it is compared")]
    pub listen: Option<SocketAddr>,

    /// What is written to standard output: csv has a line for each column that differs, sql has
    /// statements that would mend the copy, with the values in them; nothing runs them.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "What is said")]
    pub output: Output,
    /// Say what the differing columns hold on each side; without it they are masked, keys are not.
    #[arg(long, help_heading = "What is said")]
    pub show_values: bool,
    /// How many differences are listed; all are counted.
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, help_heading = "What is said")]
    pub limit_differences: u32,
}

/// What is written to standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    #[default]
    Human,
    /// One JSON document, as with --json.
    Json,
    /// A line for each column that differs.
    Csv,
    /// Statements that would mend the copy.
    Sql,
}

/// A column whose values have to be keys of another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refers {
    /// The column.
    pub column: String,
    /// The other table.
    pub table: String,
    /// The column there.
    pub key: String,
}

/// Numbers of rows by group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountsBy {
    /// The columns that make a group.
    pub by: Vec<String>,
    /// The column in which the copy keeps the numbers.
    pub value: Option<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (copy, source) = text.split_once('=').unwrap_or((text, ""));
    match copy.is_empty() || source.is_empty() {
        true => Err("write the copy's name, then the source's: title=name".to_owned()),
        false => Ok((copy.to_owned(), source.to_owned())),
    }
}

fn treated(text: &str) -> Result<(String, Rule), String> {
    let (column, rule) = text.rsplit_once('=').unwrap_or(("", text));
    let rule = rule.parse::<Rule>().ok().filter(|_| !column.is_empty());
    let rule = rule.ok_or_else(|| {
        "write COLUMN=RULE with a rule of exact, worth, trim, single, seconds, ms, digits:N and \
         null-as-missing"
            .to_owned()
    })?;
    Ok((column.to_owned(), rule))
}

fn refers(text: &str) -> Result<Refers, String> {
    let parts = text.split_once('=').and_then(|(column, rest)| {
        let (table, key) = rest.rsplit_once('.')?;
        [column, table, key].iter().all(|part| !part.is_empty()).then_some((column, table, key))
    });
    let (column, table, key) = parts.ok_or("write COLUMN=TABLE.KEY, such as topic_id=topics.id")?;
    Ok(Refers { column: column.to_owned(), table: table.to_owned(), key: key.to_owned() })
}

fn counts(text: &str) -> Result<CountsBy, String> {
    let wrong = || "write by=COLUMN,… or by= for one number, and then ,value=COLUMN".to_owned();
    let columns = text.strip_prefix("by=").ok_or_else(wrong)?;
    let mut counts = CountsBy::default();
    for part in columns.split(',') {
        match part.strip_prefix("value=") {
            Some(value) if !value.is_empty() && counts.value.is_none() => {
                counts.value = Some(value.to_owned());
            }
            Some(_) => return Err(wrong()),
            None if part.is_empty() && counts.by.is_empty() => {}
            None if part.is_empty() || counts.value.is_some() => return Err(wrong()),
            None => counts.by.push(part.to_owned()),
        }
    }
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::{CountsBy, counts, pair, refers, treated};
    use compare::Rule;

    #[test]
    fn groups_and_the_column_of_their_numbers_are_told_apart() {
        let read = |text| counts(text).unwrap();
        let by = |by: &[&str], value: Option<&str>| CountsBy {
            by: by.iter().map(|it| (*it).to_owned()).collect(),
            value: value.map(str::to_owned),
        };
        assert_eq!(read("by="), by(&[], None));
        assert_eq!(read("by=a,b"), by(&["a", "b"], None));
        assert_eq!(read("by=a,value=n"), by(&["a"], Some("n")));
        assert_eq!(read("by=,value=n"), by(&[], Some("n")));
        for bad in ["", "a", "by=a,,b", "by=a,value=", "by=value=a,value=b", "by=value=n,a"] {
            assert!(counts(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn pairs_have_both_halves() {
        assert_eq!(pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(treated("a=b=trim"), Ok(("a=b".to_owned(), Rule::Trim)));
        let topic = refers("topic=public.topics.id").unwrap();
        assert_eq!((&*topic.table, &*topic.key), ("public.topics", "id"));
        for bad in ["", "a", "=a", "a="] {
            assert!(pair(bad).is_err() && treated(bad).is_err() && refers(bad).is_err(), "{bad}");
        }
        assert!(treated("a=tirm").is_err() && refers("a=b").is_err() && refers("a=.b").is_err());
    }
}
