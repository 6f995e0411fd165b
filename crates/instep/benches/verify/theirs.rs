//! Another tool, which bisects by checksums that the servers make, and reads what then differs.

use crate::place::Place;
use crate::ran::{self, Ran};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Reladiff, in a Python of its own.
pub(crate) struct Reladiff {
    program: PathBuf,
}

const PACKAGES: [&str; 2] = ["reladiff==0.6.0", "psycopg2-binary==2.9.13"];

impl Reladiff {
    /// The tool, installed if it is not there yet; none where it cannot be.
    pub(crate) fn installed(folder: &Path) -> Option<Self> {
        let program = folder.join("bin/reladiff");
        if !program.exists()
            && let Err(why) = install(folder)
        {
            println!("reladiff was not run: it could not be installed ({why})\n");
            return None;
        }
        Some(Self { program })
    }

    /// Compares both tables, of which so many rows differ.
    pub(crate) fn compare(&self, place: &Place, differing: u32) -> Ran {
        let [source, copy] =
            place.databases().map(|url| url.replace("postgres://", "postgresql://"));
        let mut command = Command::new(&self.program);
        command.args([&source, "public.item", &copy, "public.item", "-k", "id", "-c", "%"]);
        command.args(["--json", "--threads", "2"]);
        let ran = ran::run(&mut command);
        // A row that differs is told as one that went and one that came, broken into lines behind its key.
        let [went, came] = [r#"["-", [""#, r#"["+", [""#].map(|begins| keys(&ran.out, begins));
        assert_eq!((ran.code, went.len()), (Some(0), differing as usize), "{}", ran.err);
        assert_eq!(went, came, "each row is in both tables");
        ran
    }
}

/// The keys of the rows that begin so.
fn keys<'a>(said: &'a str, begins: &str) -> BTreeSet<&'a str> {
    said.lines().filter_map(|line| line.strip_prefix(begins)?.split('"').next()).collect()
}

/// Installs it, or says why not.
fn install(folder: &Path) -> Result<(), String> {
    let parent = folder.parent().expect("a folder of ours");
    fs::create_dir_all(parent).expect("a folder");
    did(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    let pip = folder.join("bin/pip");
    did(Command::new(pip)
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(PACKAGES))
}

fn did(command: &mut Command) -> Result<(), String> {
    let done = command.output().map_err(|error| error.to_string())?;
    match done.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&done.stderr);
            Err(said.lines().last().unwrap_or("it did not say why").to_owned())
        }
    }
}
