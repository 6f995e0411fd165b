//! `instep doctor`: looks at everything that a configuration names, without changing anything, and
//! says what stands in the way.
//!
//! ```text
//!   examine             layer by layer, each with a bound on its time; the traits of what is looked at
//!     listen  data_dir  Instep's own address, certificate and directory
//!     sqlite            a SQLite file                             (judge: pure)
//!     postgres          a PostgreSQL database                     (judge: pure)
//!   part  pinned        what a service is for, and which one it was before   (pure)
//!   flows               copies and counts, each between two services
//!   fit                 how rows fit into a copy's table                     (pure)
//!   files  processes    what the operating system tells
//!   check               what was looked at, and what came of it              (pure)
//!   verdict  show       what it comes to, for programs and for people        (pure)
//! ```
//!
//! Invariants: nothing is written, to no file and no server. A check that could not be made is never
//! good, and what failed is never exited with 0.

mod check;
mod data_dir;
mod examine;
mod files;
mod fit;
mod flows;
mod listen;
mod part;
mod pinned;
mod postgres;
mod processes;
mod show;
mod sqlite;
mod verdict;

use crate::cli::Globals;
use crate::commands::asking::blocking;
use crate::commands::loaded::loaded;
use crate::config::{Config, Loaded, Service};
use crate::paint::Paint;
use crate::report::Report;
use check::{Check, Group, Layer, State};
use data_dir::{DataDir, lock_file};
use examine::{Database, Examine, answered, examine};
use flows::Looked;
use listen::Listen;
use postgres::Postgres;
use processes::Lock;
use sqlite::Sqlite;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Looks at everything.
pub fn run(globals: &Globals) -> Report {
    match loaded(globals) {
        Ok(loaded) => blocking(look(loaded, globals)),
        Err(report) => report,
    }
}

async fn look(loaded: Loaded, globals: &Globals) -> Report {
    let voice = Voice { is_silent: globals.json, paint: Paint::for_stdout() };
    let mut groups = vec![configured(globals, &loaded)];
    voice.say(&groups[0]);
    let config = Arc::new(loaded.config);
    let file = lock_file(&config);
    let lock = answered(move || processes::lock(&file)).await;
    let held = lock.as_ref().copied().unwrap_or(Lock::Free);
    let (mut looked, own) = look_at_all(&config, lock, held, &voice).await;
    groups.extend(own);
    let order = |name: &str| config.services.keys().position(|service| service == name);
    looked.sort_by_key(|(service, _)| order(service.service()));
    groups.sort_by_key(|group| order(&group.name).map_or(0, |place| place + 1));
    let flows = [flows::copies(&config, &looked).await, flows::counts(&config, &looked)];
    for group in flows.into_iter().flatten() {
        voice.say(&group);
        groups.push(group);
    }
    let report = verdict::verdict(&groups, held);
    voice.end(&groups, report)
}

/// Looks at all addresses at the same time, and says what came of each when it has come.
async fn look_at_all(
    config: &Arc<Config>,
    lock: io::Result<Lock>,
    held: Lock,
    voice: &Voice,
) -> (Looked, Vec<Group>) {
    let mut looks = JoinSet::new();
    for mut databases in databases(config, held) {
        looks.spawn(async move {
            let mut looked = Vec::new();
            for mut database in databases.drain(..) {
                let group = examine(database.as_mut()).await;
                looked.push((Some(database), group));
            }
            looked
        });
    }
    let own: [Box<dyn Examine>; 2] = [
        Box::new(DataDir::new(config.clone(), lock)),
        Box::new(Listen { config: config.clone(), lock: held }),
    ];
    for mut subject in own {
        looks.spawn(async move { vec![(None, examine(subject.as_mut()).await)] });
    }
    let (mut looked, mut groups) = (Looked::new(), Vec::new());
    while let Some(done) = looks.join_next().await {
        for (database, group) in done.unwrap_or_else(|_| vec![(None, broken_off())]) {
            voice.say(&group);
            let has_failed = group.state() == State::Failed || !group.skipped.is_empty();
            looked.extend(database.map(|database| (database, has_failed)));
            groups.push(group);
        }
    }
    (looked, groups)
}

/// What is known of an address whose looks broke off: nothing, which is not good.
fn broken_off() -> Group {
    let mut group = Group::new("doctor", "looks that broke off");
    let why = "a look failed inside Instep; please report it";
    group.checks.push(Check::not_measured(Layer::Connect, "look at an address", why));
    group
}

/// Every service; those that lead to one place are looked at one after the other.
fn databases(config: &Arc<Config>, held: Lock) -> Vec<Vec<Box<dyn Database>>> {
    let running = match held {
        Lock::Held(pid) => pid,
        Lock::Free => None,
    };
    let mut places: BTreeMap<String, Vec<Box<dyn Database>>> = BTreeMap::new();
    for (name, service) in &config.services {
        let (place, database): (String, Box<dyn Database>) = match service {
            Service::Sqlite(path) => {
                let place = path.canonicalize().unwrap_or_else(|_| path.clone());
                let place = place.to_string_lossy().into_owned();
                (place, Box::new(Sqlite::new(name, path, config.clone(), running)))
            }
            Service::Postgres(access) => {
                (access.to_string(), Box::new(Postgres::new(name, access, config.clone())))
            }
        };
        places.entry(place).or_default().push(database);
    }
    places.into_values().collect()
}

/// What is known of the configuration, and from where everything is seen.
fn configured(globals: &Globals, loaded: &Loaded) -> Group {
    let file = globals.config_file();
    let Config { services, sources, copies, counts, .. } = &loaded.config;
    let mut group = Group::new("config", file.display().to_string());
    let found = format!(
        "services: {}, sources: {}, copies: {}, counts: {}",
        services.len(),
        sources.len(),
        copies.len(),
        counts.len()
    );
    group.checks.push(Check::good(Layer::Config, "read it", found));
    let warnings = loaded.warnings.iter().cloned();
    group.checks.extend(warnings.map(|warning| Check::problem(Layer::Config, "read it", warning)));
    let here = std::env::current_dir().unwrap_or_default();
    let mut from = format!("uid {}, in {}", files::user(), here.display());
    if let Some(evidence) = processes::container() {
        from.push_str(&format!(", in a container ({evidence} is there)"));
    }
    group.checks.push(Check::good(Layer::Config, "look from here", from));
    group
}

/// What a person is told while it goes on.
struct Voice {
    is_silent: bool,
    paint: Paint,
}

impl Voice {
    fn say(&self, group: &Group) {
        self.write(&show::group(group, self.paint));
    }

    /// What is said last; a program is given the report instead.
    fn end(&self, groups: &[Group], report: Report) -> Report {
        if self.is_silent {
            return report;
        }
        let state = groups.iter().map(Group::state).max().unwrap_or(State::Good);
        self.write(&show::verdict(state, &report.summary, self.paint));
        Report { is_silent: true, ..report }
    }

    fn write(&self, text: &str) {
        if !self.is_silent {
            // Nobody reads it where standard output is closed.
            let _ = io::stdout().lock().write_all(text.as_bytes());
        }
    }
}
