//! PURE: what was typed, as terms of a comparison.

use super::given::named;
use super::place::Pair;
use crate::cli::{Output, VerifyArguments};
use crate::config::ServiceKind;
use crate::problem::Problem;
use crate::report::{Exit, Report};
use compare::{Counts, Reference, Scope, Terms};
use model::Code;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// What to compare, and how.
    pub(super) terms: Terms,
    /// How it is said.
    pub(super) output: Output,
    /// Whether values are said, too.
    pub(super) shows_values: bool,
    /// The command without more flags, as it can be shown.
    pub(super) command: String,
}

/// Without a word of somebody else rows are waited for at least so long.
const PATIENCE: Duration = Duration::from_secs(30);

/// Refuses what makes no sense together.
pub(super) fn check(arguments: &VerifyArguments, output: Output) -> Result<(), Report> {
    let refuse = |what: &str, fix: &str| Err(Report::usage(what, fix));
    let is_of_statements = output == Output::Sql;
    if is_of_statements && arguments.counts.is_some() {
        return refuse(
            "numbers have no statements that would mend them",
            "leave --output sql or --counts out",
        );
    }
    if arguments.every.is_some() && (is_of_statements || output == Output::Csv) {
        return refuse(
            "--every says a verdict each time, and no list",
            "leave --every out, or take --output json",
        );
    }
    if arguments.every.is_some_and(|every| every.is_zero()) {
        return refuse("--every 0s leaves no time between", "such as --every 5m");
    }
    if arguments.patience.is_some_and(|patience| patience < arguments.settle) {
        return refuse(
            "--patience is shorter than --settle, so nothing could settle",
            "take at least as long",
        );
    }
    if let Some(listen) = arguments.listen.filter(|it| !it.ip().to_canonical().is_loopback()) {
        let problem = Problem::new(
            Code::ListenOpen,
            format!("--listen {listen} is open to other machines"),
            "anybody who reaches it could read how the tables are doing",
            "listen on 127.0.0.1, and let a proxy ask who it is",
        );
        return Err(Report::failed(Exit::Usage, problem.what.clone(), vec![problem]));
    }
    Ok(())
}

/// What was asked for, by a person who compares with a copy of this kind.
pub(super) fn asked(
    arguments: &VerifyArguments,
    output: Output,
    copy: ServiceKind,
    seed: u64,
) -> Result<Asked, Report> {
    let command = match (&arguments.source, &arguments.copy) {
        (None, Some(name)) => format!("instep verify --copy {name}"),
        // A URL may hold a password.
        _ => "instep verify …".to_owned(),
    };
    let shows_values = arguments.show_values || output == Output::Sql;
    Ok(Asked { terms: terms(arguments, copy, seed)?, output, shows_values, command })
}

fn terms(arguments: &VerifyArguments, copy: ServiceKind, seed: u64) -> Result<Terms, Report> {
    let list =
        |names: &[String]| names.iter().map(|it| it.as_str().into()).collect::<Vec<Arc<str>>>();
    let some = |names: &[String]| (!names.is_empty()).then(|| list(names));
    let scope = match (arguments.sample, arguments.newest, &arguments.by) {
        (Some(share), ..) => Scope::Sample(share),
        (None, Some(rows), Some(by)) => Scope::Newest { rows, by: by.as_str().into() },
        _ => Scope::All,
    };
    let references = arguments.references.iter().map(|it| Reference {
        column: it.column.as_str().into(),
        table: named(copy, &it.table).as_str().into(),
        key: it.key.as_str().into(),
    });
    let counts = arguments.counts.as_ref().map(|counts| Counts {
        by: list(&counts.by),
        value: counts.value.as_deref().map(Into::into),
    });
    let map = arguments.map.iter().map(|(copy, source)| (&**copy, source.as_str().into()));
    let rules = arguments.treat.iter().map(|(column, rule)| (&**column, *rule));
    let patience = arguments.patience.unwrap_or_else(|| PATIENCE.max(arguments.settle * 2));
    Ok(Terms {
        columns: some(&arguments.columns),
        map: once_each("--map", map)?,
        leave_out: list(&arguments.leave_out),
        key: some(&arguments.key),
        rules: once_each("--treat", rules)?,
        scope,
        references: references.collect(),
        counts,
        settle: arguments.settle,
        patience,
        listed_max: usize::try_from(arguments.limit_differences).unwrap_or(usize::MAX),
        load: arguments.max_load,
        connections: arguments.connections.into(),
        seed,
    })
}

/// The same terms for these two tables: what the configuration says of them holds unless a person
/// says otherwise.
pub(super) fn of_pair(terms: &Terms, pair: &Pair) -> Terms {
    let mut terms = terms.clone();
    for (copy, source) in &pair.map {
        terms.map.entry(copy.clone()).or_insert_with(|| source.clone());
    }
    terms.leave_out.extend(pair.leave_out.iter().cloned());
    terms
}

fn once_each<'a, T>(
    flag: &str,
    pairs: impl Iterator<Item = (&'a str, T)>,
) -> Result<BTreeMap<Arc<str>, T>, Report> {
    let mut found = BTreeMap::new();
    for (name, value) in pairs {
        if found.insert(Arc::from(name), value).is_some() {
            let what = format!("{flag} names {name:?} more than once");
            return Err(Report::usage(what, "name each column of the copy once"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser;
    use compare::Rule;

    fn typed(line: &str) -> Option<VerifyArguments> {
        let words = ["instep", "verify", "--source", "sqlite:a?table=t", "--copy", "sqlite:b"];
        let words = words.into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).ok()?.command {
            Command::Verify(arguments) => Some(*arguments),
            _ => None,
        }
    }

    fn terms_of(line: &str) -> Terms {
        let arguments = typed(line).unwrap();
        terms(&arguments, ServiceKind::Postgres, 7).unwrap()
    }

    #[test]
    fn flags_become_terms() {
        let terms = terms_of(
            "--columns a,b --leave-out c --map a=x --map b=y --key a,b --treat a=trim --treat b=digits:2 \
             --newest 9 --by a --references b=t.id --settle 1m --limit-differences 0 --max-load 50% \
             --connections 16",
        );
        let names: [Arc<str>; 2] = ["a".into(), "b".into()];
        assert_eq!(terms.columns.as_deref(), Some(&names[..]));
        assert_eq!(terms.key.as_deref(), Some(&names[..]));
        assert_eq!(terms.map.get("b").map(|it| &**it), Some("y"));
        assert_eq!(terms.rules.get("b"), Some(&Rule::Digits(2)));
        assert_eq!(terms.scope, Scope::Newest { rows: 9, by: "a".into() });
        assert_eq!(terms.references[0].table.as_str(), "public.t");
        assert_eq!((terms.listed_max, terms.load, terms.connections), (0, 50, 16));
        assert_eq!(terms.patience, Duration::from_secs(120));
        let plain = terms_of("");
        assert_eq!((plain.columns, plain.key, plain.scope), (None, None, Scope::All));
        assert_eq!((plain.settle, plain.patience), (Duration::from_secs(5), PATIENCE));
        assert_eq!(plain.listed_max, 1_000);
        let counts = terms_of("--counts by=a,value=n").counts.unwrap();
        assert_eq!((counts.by.len(), counts.value.as_deref()), (1, Some("n")));
        assert_eq!(terms_of("--sample 5%").scope, Scope::Sample(5.0));
    }

    #[test]
    fn what_makes_no_sense_together_is_refused() {
        for line in [
            "--newest 9",
            "--by a",
            "--newest 0 --by a",
            "--sample 5% --newest 9 --by a",
            "--counts by=a --columns b",
            "--listen 127.0.0.1:0",
            "--connections 17",
            "--connections 0",
            "--max-load 0%",
        ] {
            assert!(typed(line).is_none(), "{line}");
        }
        for line in [
            "--every 5m --output csv",
            "--every 5m --output sql",
            "--every 0s",
            "--counts by=a --output sql",
            "--settle 10s --patience 9s",
            "--every 5m --listen 0.0.0.0:0",
            "--every 5m --listen [::]:0",
        ] {
            let arguments = typed(line).unwrap();
            let refused = check(&arguments, arguments.output).unwrap_err();
            assert_eq!(refused.exit, Exit::Usage, "{line}");
            let is_open = refused.problems[0].code == Code::ListenOpen;
            assert_eq!(is_open, line.contains("--listen"), "{line}");
        }
        for line in ["--map a=b --map a=c", "--treat a=trim --treat a=worth"] {
            assert!(terms(&typed(line).unwrap(), ServiceKind::Sqlite, 7).is_err(), "{line}");
        }
    }

    #[test]
    fn what_a_person_says_of_a_column_holds_before_the_configuration() {
        use crate::commands::verify::place::Place;
        use crate::config::Service;
        let place =
            Place { service: Service::Sqlite("a".into()), table: "t".into(), condition: None };
        let pair = Pair {
            shard: None,
            source: place.clone(),
            copy: place,
            map: [("a".into(), "x".into()), ("b".into(), "y".into())].into(),
            leave_out: vec!["s".into()],
        };
        let terms = of_pair(&terms_of("--map a=z --leave-out c"), &pair);
        assert_eq!([&*terms.map["a"], &*terms.map["b"]], ["z", "y"]);
        assert_eq!(terms.leave_out, ["c".into(), "s".into()]);
    }
}
