//! A page of Markdown: its blocks with what each is for, its headings, links and code spans.

use std::fs;
use std::path::{Path, PathBuf};

/// A page, by its path from the root of the repository.
pub(super) struct Page {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) blocks: Vec<Block>,
    /// Everything outside of blocks, each line with its number.
    pub(super) prose: Vec<(usize, String)>,
}

/// What stands between two fences.
pub(super) struct Block {
    pub(super) line: usize,
    info: String,
    pub(super) text: String,
}

/// What a block is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Use<'a> {
    /// Commands that are run.
    Run,
    /// What the commands before it say.
    Said,
    /// A file to be written.
    File { name: &'a str },
    /// Statements for a database.
    Statements { file: &'a str },
    /// Commands that build: not run, but they have to exist.
    Built,
    /// Not run.
    Ignored { reason: &'a str },
    /// To be looked at.
    Picture,
}

impl Page {
    pub(super) fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path));
        let text = text.unwrap_or_else(|error| panic!("{path}: {error}"));
        Self::of(path, text)
    }

    fn of(path: &str, text: String) -> Self {
        let (mut blocks, mut prose) = (Vec::new(), Vec::new());
        let mut open: Option<Block> = None;
        for (line, words) in (1..).zip(text.lines()) {
            match (words.strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    let info = info.trim().to_owned();
                    open = Some(Block { line, info, text: String::new() });
                }
                (Some(_), Some(_)) => blocks.extend(open.take()),
                (None, Some(block)) => block.text.push_str(&format!("{words}\n")),
                (None, None) => prose.push((line, words.to_owned())),
            }
        }
        assert!(open.is_none(), "{path}: a fence is never closed");
        Self { path: path.to_owned(), text, blocks, prose }
    }

    /// The page that has to be run before this one.
    pub(super) fn goes_on_from(&self) -> Option<String> {
        let line = self.prose.iter().find(|(_, line)| line.contains("Goes on from ["))?;
        let (target, _) = links(&line.1).next()?;
        Some(beside(&self.path, &target))
    }

    /// The anchors of its headings.
    pub(super) fn anchors(&self) -> Vec<String> {
        let headings = self.prose.iter().filter_map(|(_, line)| line.strip_prefix('#'));
        headings.map(|heading| anchor(heading.trim_start_matches('#').trim())).collect()
    }
}

impl Block {
    /// What it is for, or why nobody knows.
    pub(super) fn used(&self) -> Result<Use<'_>, String> {
        let (language, more) = self.info.split_once(' ').unwrap_or((&self.info, ""));
        if let Some(reason) = more.strip_prefix("ignore:") {
            let reason = reason.trim();
            return match reason.len() {
                0..10 => Err("a block that is not run has to say why".to_owned()),
                _ => Ok(Use::Ignored { reason }),
            };
        }
        let first = self.text.lines().next().unwrap_or_default();
        match language {
            _ if !more.is_empty() => Err(format!("nobody knows {more:?} after {language}")),
            "sh" if self.text.lines().any(builds) => Ok(Use::Built),
            "sh" => Ok(Use::Run),
            "text" => Ok(Use::Said),
            "yaml" => match first.strip_prefix("# ") {
                Some(name) if name.ends_with(".yaml") => Ok(Use::File { name }),
                _ => Err("say in the first line which file it is, as `# instep.yaml`".to_owned()),
            },
            "sql" => match first.strip_prefix("-- ") {
                Some(file) if file.ends_with(".db") => Ok(Use::Statements { file }),
                _ => Err("say in the first line which database, as `-- app.db`".to_owned()),
            },
            "" => Ok(Use::Picture),
            other => Err(format!("nobody runs {other}; say `ignore: REASON` after it")),
        }
    }
}

/// Whether a command makes or fetches programs.
fn builds(line: &str) -> bool {
    ["cargo ", "git ", "rustup ", "apt-get "].iter().any(|word| line.starts_with(word))
}

/// Every page of the repository but those that are made of nothing but bytes.
pub(super) fn all() -> Vec<Page> {
    let mut found = Vec::new();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        found.push(Page::read(name));
    }
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                let path = path.strip_prefix(root()).unwrap();
                found.push(Page::read(path.to_str().unwrap()));
            }
        }
    }
    found
}

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// Where a link in a page leads, as a path from the root.
pub(super) fn beside(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// The links of a line into the repository, each with its anchor.
pub(super) fn links(line: &str) -> impl Iterator<Item = (String, String)> {
    line.split("](").skip(1).filter_map(|rest| {
        let (target, _) = rest.split_once(')')?;
        let is_ours = !target.contains("://") && !target.starts_with("mailto:");
        let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
        is_ours.then(|| (path.to_owned(), anchor.to_owned()))
    })
}

/// The code spans of a line.
pub(super) fn spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

/// The anchor that a heading is given where pages are shown.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|it| it.is_alphanumeric() || " -_".contains(*it));
    kept.map(|it| if it == ' ' { '-' } else { it }).collect()
}

#[test]
fn a_page_is_cut_into_blocks_and_prose() {
    let text = "# One `two`, three\n```sh\ninstep run\n```\n[a](../b.md#c) `d`\n";
    let page = Page::of("docs/x/y.md", text.to_owned());
    assert_eq!(page.blocks.len(), 1);
    assert_eq!((page.blocks[0].line, page.blocks[0].used()), (2, Ok(Use::Run)));
    assert_eq!(page.anchors(), ["one-two-three"]);
    assert_eq!(links(&page.prose[1].1).next(), Some(("../b.md".to_owned(), "c".to_owned())));
    assert_eq!(beside("docs/x/y.md", "../b.md"), "docs/b.md");
    assert_eq!(spans(&page.prose[1].1).collect::<Vec<_>>(), ["d"]);
}

#[test]
fn a_block_that_nobody_runs_has_to_say_why() {
    let used = |info: &str, text: &str| {
        let block = Block { line: 1, info: info.to_owned(), text: text.to_owned() };
        block.used().map(|used| format!("{used:?}"))
    };
    assert!(used("sh ignore: it needs the network", "").unwrap().starts_with("Ignored"));
    assert!(used("yaml", "# a.yaml\nversion: 1").unwrap().starts_with("File"));
    assert!(used("sh", "cargo build").unwrap().starts_with("Built"));
    for (info, text) in
        [("sh ignore:", ""), ("sh whatever", ""), ("yaml", "version: 1"), ("sql", ""), ("rust", "")]
    {
        assert!(used(info, text).is_err(), "{info}");
    }
}
