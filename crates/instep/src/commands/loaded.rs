//! The configuration for a command that needs one, or the report of what is wrong with it.

use super::config::refused;
use crate::cli::Globals;
use crate::config::{Loaded, load};
use crate::report::Report;

/// Loads the configuration.
pub(super) fn loaded(globals: &Globals) -> Result<Loaded, Report> {
    let file = globals.config_file();
    load(&file).map_err(|problems| refused(&file, problems))
}

/// The configuration, unless nobody has named one and there is none.
pub(super) fn loaded_if_any(globals: &Globals) -> Result<Option<Loaded>, Report> {
    match globals.names_config() || globals.config_file().exists() {
        true => loaded(globals).map(Some),
        false => Ok(None),
    }
}
