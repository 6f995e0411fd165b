//! `instep source`: what is known of the sources, and what only a person may decide about them.
//! Works on the data directory itself, so it needs no running Instep.

use crate::cli::{Globals, SourceCommand};
use crate::commands::asking::blocking;
use crate::commands::failing::failed;
use crate::commands::loaded::loaded;
use crate::config::{Config, Copy, Source};
use crate::problem::Problem;
use crate::registry;
use crate::report::{Exit, Report};
use crate::table::Table;
use engine::{Catalog, History, Instance, SqliteCatalog};
use journal::{Disk, Lock, RealDisk};
use model::{Code, Fault, TargetName};
use serde_json::json;
use std::io::ErrorKind;

/// Lists, adopts or detaches.
pub fn run(globals: &Globals, command: &SourceCommand) -> Report {
    let config = match loaded(globals) {
        Ok(loaded) => loaded.config,
        Err(report) => return report,
    };
    blocking(async {
        let done = match command {
            SourceCommand::List => list(&config).await,
            SourceCommand::Adopt { name } => adopt(&config, name).await,
            SourceCommand::Detach { name } => detach(&config, name).await,
            SourceCommand::AllowDeletes { name, service, rows } => {
                allow_deletes(&config, name, service, *rows).await
            }
        };
        done.unwrap_or_else(|report| report)
    })
}

async fn list(config: &Config) -> Result<Report, Report> {
    let catalog = catalog(config).await?;
    let mut table = Table::new(["source", "service", "tables", "server", "history"]);
    let mut data = Vec::new();
    for source in &config.sources {
        let kinds = source.outbox.iter().flat_map(|outbox| &outbox.kinds);
        let tables: Vec<_> = source.tables.iter().chain(kinds).map(|it| it.as_str()).collect();
        for service in &source.services {
            let history = history(catalog.as_ref(), source, service).await?;
            let server = history.as_ref().map(|history| history.identity.to_string());
            let number = history.as_ref().map(|history| history.incarnation.0);
            table.row([
                source.name.clone(),
                service.clone(),
                tables.join(", "),
                server.clone().unwrap_or_else(|| "-".to_owned()),
                number.map_or_else(|| "-".to_owned(), |number| number.to_string()),
            ]);
            data.push(json!({ "name": source.name, "service": service, "tables": tables,
                "server": server, "history": number }));
        }
    }
    let summary = format!("{} sources", config.sources.len());
    Ok(Report::done(summary).with(table.to_string(), json!({ "sources": data })))
}

/// From now on the servers that answer are the right ones.
async fn adopt(config: &Config, name: &str) -> Result<Report, Report> {
    let source = source(config, name)?;
    let Some(catalog) = catalog(config).await? else {
        return Ok(Report::done(format!(
            "{name} was never followed, so there is nothing to adopt"
        )));
    };
    let instance = catalog.next_run().await.map_err(failed)?;
    let (mut taken, mut adopted) = (Vec::new(), Vec::new());
    for service in &source.services {
        let kind = registry::source_kind(&config.services[service], source);
        if kind.take_over(config, &instance).await.map_err(failed)? {
            taken.push(service);
        }
        let Some(history) = history(Some(&catalog), source, service).await? else { continue };
        let now = kind.identity(&source.tables).await.map_err(failed)?;
        if now != history.identity {
            let lane = registry::lane(&source.name, service);
            catalog.adopt(&lane, &now).await.map_err(failed)?;
            adopted.push(json!({ "service": service, "before": history.identity.as_str(),
                "now": now.as_str() }));
        }
    }
    let summary = match (adopted.len(), taken.len()) {
        (0, 0) => format!("every server of {name} is the one that was followed before"),
        (0, _) => format!(
            "{name} is followed from {} now; the Instep that followed it is refused",
            config.data_dir.display()
        ),
        _ => format!(
            "{name} is followed where it is now; a new history begins, and every copy is compared \
             with it row by row"
        ),
    };
    let is_new = !adopted.is_empty() || !taken.is_empty();
    let data = json!({ "status": if is_new { "adopted" } else { "already_adopted" },
        "adopted": adopted, "taken_over": taken });
    let report = Report::done(summary).with("", data);
    Ok(report.next("watch the copies being compared", "instep status"))
}

/// P7: a person has looked, and so many rows may go from the copies in this service.
async fn allow_deletes(
    config: &Config,
    name: &str,
    service: &str,
    rows: u64,
) -> Result<Report, Report> {
    let source = source(config, name)?;
    let is_there = |copy: &&Copy| copy.source == name && copy.to.service == service;
    if !config.copies.iter().any(|copy| is_there(&copy)) {
        let what = format!("no copy of {name} is in {service}");
        let mut services: Vec<_> =
            config.copies.iter().filter(|copy| copy.source == name).collect();
        services.sort_by_key(|copy| &copy.to.service);
        services.dedup_by_key(|copy| &copy.to.service);
        let services: Vec<_> = services.iter().map(|copy| copy.to.service.as_str()).collect();
        return Err(Report::usage(what, format!("name one of: {}", services.join(", "))));
    }
    let Some(catalog) = catalog(config).await? else {
        return Ok(Report::done(format!("{name} was never followed, so nothing waits for this")));
    };
    let target = TargetName::from(service);
    for shard in &source.services {
        let lane = registry::lane(&source.name, shard);
        catalog.allow_deletes(&lane, &target, rows).await.map_err(failed)?;
    }
    let summary =
        format!("a comparison with {name} may delete {rows} rows from the copies in {service}");
    let data = json!({ "source": name, "service": service, "rows": rows });
    let report = Report::done(summary).with("", data);
    Ok(report.next("start `instep run` anew, so that it goes on", "instep run"))
}

/// Takes out of a source's databases what was put there to follow them.
async fn detach(config: &Config, name: &str) -> Result<Report, Report> {
    let source = source(config, name)?;
    let _lock = lock(config)?;
    let catalog = catalog(config).await?;
    let instance = match &catalog {
        Some(catalog) => catalog.next_run().await.map_err(failed)?,
        // It has never run here, but may have in this place.
        None => Instance { name: String::new(), run: 0 },
    };
    let mut detached = Vec::new();
    for service in &source.services {
        let kind = registry::source_kind(&config.services[service], source);
        if kind.detach(config, &instance).await.map_err(failed)? {
            detached.push(service);
        }
        // What is made of it from now on is no other server's: it is followed anew without a word.
        if let Some(catalog) = &catalog {
            let lane = registry::lane(&source.name, service);
            catalog.forget(&lane).await.map_err(failed)?;
        }
    }
    let summary = match detached.len() {
        0 => format!("nothing of Instep stands in the databases of {name}"),
        _ => format!("the databases of {name} are as if they had never been followed"),
    };
    let status = if detached.is_empty() { "already_detached" } else { "detached" };
    let report = Report::done(summary).with("", json!({ "status": status, "detached": detached }));
    Ok(report.next("follow it again; every copy is then compared with it", "instep run"))
}

fn source<'a>(config: &'a Config, name: &str) -> Result<&'a Source, Report> {
    config.sources.iter().find(|source| source.name == name).ok_or_else(|| {
        let names: Vec<_> = config.sources.iter().map(|source| source.name.as_str()).collect();
        Report::usage(
            format!("the configuration has no source {name}"),
            format!("name one of: {}", names.join(", ")),
        )
    })
}

/// The catalog, if anything was ever followed.
async fn catalog(config: &Config) -> Result<Option<SqliteCatalog>, Report> {
    let path = registry::catalog_file(config);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(SqliteCatalog::open(&path).await.map_err(failed)?.catalog))
}

async fn history(
    catalog: Option<&SqliteCatalog>,
    source: &Source,
    service: &str,
) -> Result<Option<History>, Report> {
    match catalog {
        None => Ok(None),
        Some(catalog) => {
            catalog.history(&registry::lane(&source.name, service)).await.map_err(failed)
        }
    }
}

/// Nothing may follow the source meanwhile: it would put everything back at once.
fn lock(config: &Config) -> Result<Option<Lock>, Report> {
    let path = config.data_dir.join("journal").join("lock");
    match RealDisk.lock(&path) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let problem = Problem::new(
                Code::DataLocked,
                format!("an Instep runs in {}", config.data_dir.display()),
                "it would follow the source again at once",
                "stop `instep run`, then detach, migrate, and start it again",
            );
            Err(Report::failed(Exit::Refused, problem.what.clone(), vec![problem]))
        }
        Err(error) => {
            let what = format!("{} can not be locked: {error}", path.display());
            Err(failed(Fault::stop(Code::JournalDisk, what)))
        }
    }
}
