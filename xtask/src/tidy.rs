//! The house rules, one file each; every finding says where, what is wrong and how to mend it.

mod circles;
mod definitions;
mod edges;
mod finding;
mod headers;
mod leaks;
mod oracle;
mod sizes;
mod stale;
mod syntax;
mod tree;
mod words;

use crate::shell::{self, Failure, Outcome};
use finding::Finding;
use tree::Tree;

/// Checks the named rules, or all of them, and prints what they find.
pub(crate) fn run(names: &[String]) -> Outcome {
    let findings = check(&chosen(names)?)?;
    print(&findings);
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new("tidy has 1 finding", MEND)),
        n => Err(Failure::new(format!("tidy has {n} findings"), MEND)),
    }
}

/// Every finding of every rule.
pub(crate) fn check_all() -> Outcome<Vec<Finding>> {
    check(&RULES.iter().collect::<Vec<_>>())
}

/// Prints the findings for a person.
pub(crate) fn print(findings: &[Finding]) {
    for finding in findings {
        println!("{finding}");
    }
}

struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Finding>,
}

const RULES: [Rule; 9] = [
    Rule { name: "syntax", check: syntax::check },
    Rule { name: "edges", check: edges::check },
    Rule { name: "circles", check: circles::check },
    Rule { name: "oracle", check: oracle::check },
    Rule { name: "headers", check: headers::check },
    Rule { name: "sizes", check: sizes::check },
    Rule { name: "words", check: words::check },
    Rule { name: "stale", check: stale::check },
    Rule { name: "leaks", check: leaks::check },
];

const MEND: &str = "each finding above says how; `cargo xtask tidy` shows them alone";

fn chosen(names: &[String]) -> Outcome<Vec<&'static Rule>> {
    if let Some(unknown) = names.iter().find(|name| RULES.iter().all(|rule| rule.name != **name)) {
        let known: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
        let mend = format!("name one of: {}", known.join(", "));
        return Err(Failure::new(format!("there is no rule `{unknown}`"), mend).with_code(Some(2)));
    }
    let wanted = |rule: &&Rule| names.is_empty() || names.iter().any(|name| name == rule.name);
    Ok(RULES.iter().filter(wanted).collect())
}

fn check(rules: &[&Rule]) -> Outcome<Vec<Finding>> {
    let tree = Tree::read(&shell::root()).map_err(|error| {
        Failure::new(format!("the tree cannot be read: {error}"), "see to the file's permissions")
    })?;
    Ok(rules.iter().flat_map(|rule| (rule.check)(&tree)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_rule_is_refused_with_the_known_ones() {
        let failure = chosen(&["cirlces".to_owned()]).err().unwrap();
        assert!(failure.to_string().contains("circles"));
    }

    #[test]
    fn a_named_rule_is_the_only_one_checked() {
        let rules = chosen(&["words".to_owned()]).ok().unwrap();
        assert_eq!(rules.iter().map(|rule| rule.name).collect::<Vec<_>>(), ["words"]);
        assert_eq!(chosen(&[]).ok().unwrap().len(), RULES.len());
    }
}
