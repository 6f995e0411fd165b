//! What is compared with what: tables by their URLs, or a copy of the configuration.

use super::configured;
use super::given::{self, Given, unread};
use super::place::{Pair, Place};
use crate::cli::{Globals, VerifyArguments};
use crate::commands::loaded::{loaded, loaded_if_any};
use crate::report::Report;
use std::collections::BTreeMap;

/// Reads what was typed, and the configuration if that names one of its copies. Never empty.
pub(super) fn read(globals: &Globals, arguments: &VerifyArguments) -> Result<Vec<Pair>, Report> {
    let conditions = conditions(arguments);
    match (arguments.source.as_deref(), arguments.copy.as_deref()) {
        (Some(source), Some(copy)) => {
            let source = Given::read("--source", source).map_err(|it| unread("--source", it))?;
            let copy = Given::read("--copy", copy).map_err(|it| unread("--copy", it))?;
            Ok(vec![of_urls(source, copy, conditions)?])
        }
        (None, Some(copy)) if copy.contains(':') => {
            // The same mistakes are told as if both were there.
            Given::read("--copy", copy).map_err(|it| unread("--copy", it))?;
            let what = "--copy is a URL, and there is no --source to compare it with";
            Err(Report::usage(what, given::how("--source")))
        }
        (None, Some(name)) => configured::read(&loaded(globals)?.config, name, conditions),
        (_, None) => Err(match loaded_if_any(globals)? {
            Some(loaded) => configured::unnamed(&loaded.config),
            None => {
                let fix = "say --source URL and --copy URL, or --copy NAME beside a configuration; \
                           `instep verify --help` has examples";
                Report::usage("there is nothing to compare", fix)
            }
        }),
    }
}

/// The conditions of both sides.
fn conditions(arguments: &VerifyArguments) -> [Option<String>; 2] {
    let copy = arguments.copy_where.as_ref().or(arguments.condition.as_ref());
    [arguments.condition.clone(), copy.cloned()]
}

fn of_urls(source: Given, copy: Given, conditions: [Option<String>; 2]) -> Result<Pair, Report> {
    let [source_table, copy_table] = given::tables(&source, &copy)?;
    let [of_source, of_copy] = conditions;
    let place = |service, table, condition| Place { service, table, condition };
    Ok(Pair {
        shard: None,
        source: place(source.service, source_table, of_source),
        copy: place(copy.service, copy_table, of_copy),
        map: BTreeMap::new(),
        leave_out: Vec::new(),
    })
}
