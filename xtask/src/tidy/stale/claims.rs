//! What a page claims to exist: its code spans, its relative links, its commands.

/// Something that a page names as if it were there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// The text between two backticks.
    Code(String),
    /// The target of a link into the repository.
    Link(String),
    /// The word after `cargo xtask`, in code spans and fences alike.
    Command(String),
}

/// Endings that only files of a repository have.
pub(super) const SOURCE_ENDINGS: [&str; 4] = [".rs", ".md", ".toml", ".lock"];

/// Every claim of a page with its line; fences claim nothing but commands.
pub(super) fn of(text: &str) -> Vec<(usize, Claim)> {
    let mut claims = Vec::new();
    let mut fenced = false;
    for (index, line) in text.lines().enumerate() {
        let mut add = |claim| claims.push((index + 1, claim));
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            commands(line).for_each(&mut add);
        } else {
            spans(line).map(|span| Claim::Code(span.to_owned())).for_each(&mut add);
            spans(line).flat_map(commands).for_each(&mut add);
            links(line).for_each(&mut add);
        }
    }
    claims
}

/// A pattern with braces as the patterns that it stands for.
pub(super) fn spelled_out(text: &str) -> Vec<String> {
    let Some((before, rest)) = text.split_once('{') else {
        return vec![text.to_owned()];
    };
    let Some((inside, after)) = rest.split_once('}') else {
        return vec![text.to_owned()];
    };
    let choices = inside.split(',').map(|choice| format!("{before}{choice}{after}"));
    choices.flat_map(|choice| spelled_out(&choice)).collect()
}

/// Whether the path's last parts are the pattern's, where a part's `*` stands for anything and a
/// Rust file may go without its ending.
pub(super) fn ends_with(path: &str, pattern: &str) -> bool {
    let mut parts = path.rsplit('/');
    let mut last = true;
    pattern.rsplit('/').all(|wanted| {
        let is_last = std::mem::take(&mut last);
        parts.next().is_some_and(|part| {
            matches(part, wanted) || is_last && part.strip_suffix(".rs") == Some(wanted)
        })
    })
}

fn matches(part: &str, wanted: &str) -> bool {
    match wanted.split_once('*') {
        Some((before, after)) => {
            part.len() >= before.len() + after.len()
                && part.starts_with(before)
                && part.ends_with(after)
        }
        None => part == wanted,
    }
}

fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn commands(text: &str) -> impl Iterator<Item = Claim> {
    text.match_indices(COMMAND).filter_map(|(at, _)| {
        let word = text[at + COMMAND.len()..].split_whitespace().next()?;
        let word = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_word = word.starts_with(|c: char| c.is_ascii_lowercase());
        is_word.then(|| Claim::Command(word.to_owned()))
    })
}

const COMMAND: &str = "cargo xtask ";

fn links(line: &str) -> impl Iterator<Item = Claim> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let path = target.split('#').next().unwrap_or_default();
        let inside = !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:");
        inside.then(|| Claim::Link(path.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_claims_its_spans_links_and_commands() {
        let page = "See `a/b.rs` and [this](docs/c.md#d) or [that](https://host/e).\n```sh\n\
                    cargo xtask test   # `not/claimed.rs`\n```\nRun `cargo xtask tidy words`.";
        let claims = of(page);
        assert_eq!(
            claims,
            [
                (1, Claim::Code("a/b.rs".to_owned())),
                (1, Claim::Link("docs/c.md".to_owned())),
                (3, Claim::Command("test".to_owned())),
                (5, Claim::Code("cargo xtask tidy words".to_owned())),
                (5, Claim::Command("tidy".to_owned())),
            ]
        );
    }

    #[test]
    fn a_pattern_is_spelled_out_and_matched_by_its_last_parts() {
        assert_eq!(spelled_out("a/{b,c}.rs"), ["a/b.rs", "a/c.rs"]);
        assert!(ends_with("crates/engine/src/apply/plan.rs", "apply/plan.rs"));
        assert!(ends_with("crates/engine/src/apply/plan.rs", "apply/plan"));
        assert!(ends_with("docs/decisions/0001-one.md", "docs/decisions/*.md"));
        assert!(!ends_with("crates/engine/src/reapply/plan.rs", "apply/plan.rs"));
        assert!(!ends_with("plan.rs", "apply/plan.rs"));
    }
}
