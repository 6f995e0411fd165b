//! Rule: no text names a place on somebody's machine, or the host of a package registry.

use super::finding::Finding;
use super::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files() {
        for (number, line) in file.lines() {
            let place = PLACES.iter().find(|place| names_place(line, place));
            findings.extend(place.map(|place| {
                let what = format!("names a place on one machine, below `{place}`");
                Finding::new(&file.path, number, what, "say it from the repository's root")
            }));
            let host = HOSTS.iter().find(|host| line.contains(**host) && file.path != LOCK);
            findings.extend(host.map(|host| {
                let what = format!("names the package registry `{host}`");
                Finding::new(&file.path, number, what, "name the package; cargo knows where it is")
            }));
        }
    }
    findings
}

// Joined from two parts each, so that this file does not break its own rule.
const PLACES: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/Us", "ers/"),
    concat!("C:", "\\"),
];

const HOSTS: [&str; 5] = [
    concat!("crates", ".io"),
    concat!("registry.npmjs", ".org"),
    concat!("pypi", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("rubygems", ".org"),
];

const LOCK: &str = "Cargo.lock";

/// Whether a path begins there; `src/root/a.rs` and `http://host/home/` name no such place.
fn names_place(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|before| !before.is_alphanumeric() && !"._-~}*".contains(before))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, line: &str) -> usize {
        check(&Tree::of(&[(path, line)])).len()
    }

    #[test]
    fn a_place_on_a_machine_is_found_and_a_path_of_the_tree_is_not() {
        assert_eq!(count("README.md", &format!("see `{}repo/a.rs`", PLACES[0])), 1);
        assert_eq!(count("a.rs", &format!("\"{}someone\"", PLACES[2])), 1);
        assert_eq!(count("a.rs", &format!("src{}a.rs", PLACES[1])), 0);
        assert_eq!(count("a.rs", &format!("http://host{}page", PLACES[2])), 0);
    }

    #[test]
    fn a_registry_is_found_except_in_the_lock_file() {
        let line = format!("https://{}/crates/syn", HOSTS[0]);
        assert_eq!(count("README.md", &line), 1);
        assert_eq!(count("Cargo.lock", &line), 0);
    }
}
