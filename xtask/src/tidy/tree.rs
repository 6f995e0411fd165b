//! The tree as the rules see it: every file that is or would be tracked, its text, its syntax.
//!
//! A tree is read once from the disk, or made in memory for a rule's own tests.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

/// All files of the repository, ordered by path.
pub(crate) struct Tree {
    files: Vec<File>,
    folders: BTreeSet<String>,
}

/// One file; binary files have an empty text.
pub(crate) struct File {
    /// From the root, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Of Rust files alone; `Err` if it is not Rust that the parser knows.
    pub(crate) syntax: Option<syn::Result<syn::File>>,
}

impl Tree {
    /// Reads what git tracks or would track; without git, everything but build output.
    pub(crate) fn read(root: &Path) -> io::Result<Tree> {
        let mut paths = match listed(root) {
            Some(paths) => paths,
            None => walked(root)?,
        };
        paths.sort();
        paths.dedup();
        let mut files = Vec::new();
        for path in paths {
            let full = root.join(&path);
            // Git also lists what is deleted but not yet committed, and links to folders.
            if full.is_file() {
                let bytes = fs::read(full)?;
                files.push(File::new(path, String::from_utf8(bytes).unwrap_or_default()));
            }
        }
        Ok(Tree::new(files))
    }

    /// A tree in memory.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let file = |(path, text): &(&str, &str)| File::new((*path).to_owned(), (*text).to_owned());
        Tree::new(files.iter().map(file).collect())
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter()
    }

    /// The Rust files that could be parsed.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &syn::File)> {
        self.files.iter().filter_map(|file| Some((file, file.syntax.as_ref()?.as_ref().ok()?)))
    }

    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every folder that holds a file, without a `/` at its end.
    pub(crate) fn folders(&self) -> &BTreeSet<String> {
        &self.folders
    }

    fn new(mut files: Vec<File>) -> Tree {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let folders = files.iter().flat_map(|file| parents(&file.path)).collect();
        Tree { files, folders }
    }
}

impl File {
    /// The lines with their numbers, which begin at 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// Whether the file holds tests alone, by its name or a folder's.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    fn new(path: String, text: String) -> File {
        let syntax = path.ends_with(".rs").then(|| syn::parse_file(&text));
        File { path, text, syntax }
    }
}

fn listed(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let paths = text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect();
    output.status.success().then_some(paths)
}

fn walked(root: &Path) -> io::Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            if !entry.file_type()?.is_dir() {
                paths.push(path);
            } else if name != ".git" && name != "target" {
                open.push(path);
            }
        }
    }
    Ok(paths)
}

fn parents(path: &str) -> impl Iterator<Item = String> + '_ {
    path.match_indices('/').map(|(end, _)| path[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::env;
    use std::process;

    #[test]
    fn a_folder_without_git_is_walked_except_for_build_output() {
        let root = env::temp_dir().join(format!("instep-tidy-tree-{}", process::id()));
        fs::create_dir_all(root.join("src/deep")).unwrap();
        fs::create_dir_all(root.join("target")).unwrap();
        fs::write(root.join("src/deep/a.rs"), "fn a() {}").unwrap();
        fs::write(root.join("target/b.rs"), "not rust").unwrap();
        let tree = Tree::read(&root);
        fs::remove_dir_all(&root).unwrap();
        let tree = tree.unwrap();
        assert_eq!(
            tree.files().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["src/deep/a.rs"]
        );
        assert_eq!(tree.rust().count(), 1);
        assert!(tree.folders().contains("src/deep"));
    }

    #[test]
    fn test_files_are_known_by_name_or_folder() {
        let tree = Tree::of(&[("a/src/x.rs", ""), ("a/src/x/tests.rs", ""), ("a/tests/it.rs", "")]);
        let found: Vec<bool> = tree.files().map(File::is_test).collect();
        assert_eq!(found, [false, true, true]);
    }
}
