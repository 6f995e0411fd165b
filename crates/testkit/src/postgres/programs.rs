//! The programs of PostgreSQL on this machine, run as a user that they accept.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// Says where the programs of another version are.
const FOLDER: &str = "INSTEP_POSTGRES_FOLDER";

/// Where the programs are, and as whom they run.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    /// PostgreSQL refuses to run as root.
    as_postgres: bool,
}

impl Programs {
    /// Those of the folder that is asked for, else those of version 15 where Debian puts them, else
    /// those on the path.
    pub(super) fn find() -> Option<Self> {
        let asked = env::var_os(FOLDER).map(PathBuf::from);
        let debian = PathBuf::from("/usr/lib/postgresql/15/bin");
        let path = env::var_os("PATH").unwrap_or_default();
        let mut folders = asked.into_iter().chain([debian]).chain(env::split_paths(&path));
        let needed = ["initdb", "pg_ctl", "postgres", "psql"];
        let folder = folders.find(|it| needed.iter().all(|name| it.join(name).is_file()))?;
        let who = Command::new("id").arg("-u").output().ok()?;
        Some(Self { folder, as_postgres: who.stdout.trim_ascii() == b"0" })
    }

    /// Runs one of them to its end.
    pub(super) fn run(&self, name: &str, arguments: &[&str]) -> Output {
        let program = self.folder.join(name);
        let mut command = match self.as_postgres {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(program);
                command
            }
            false => Command::new(program),
        };
        // A folder that user may not enter would be complained about.
        command.args(arguments).current_dir("/").env("LC_ALL", "C");
        command.output().unwrap_or_else(|error| panic!("{name} could not be run: {error}"))
    }

    /// Runs one that has to succeed.
    pub(super) fn must(&self, name: &str, arguments: &[&str]) {
        let done = self.run(name, arguments);
        let failure = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{name} failed: {failure}");
    }

    /// Gives a file or folder to the user that the programs run as, and to nobody else.
    pub(super) fn own(&self, path: &Path) {
        use std::os::unix::fs::PermissionsExt;
        let mode = if path.is_dir() { 0o755 } else { 0o600 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a file of ours");
        if self.as_postgres {
            let given = Command::new("chown").arg("postgres:").arg(path).status();
            assert!(given.is_ok_and(|status| status.success()), "chown {}", path.display());
        }
    }
}
