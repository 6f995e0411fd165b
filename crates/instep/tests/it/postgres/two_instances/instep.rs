//! One of two Insteps: a folder of its own, and the process that runs in it now and then.

use crate::contract::http::Api;
use crate::contract::process::Process;
use crate::program::Folder;
use crate::rig::open;
use serde_json::Value;
use std::fs;

/// An Instep.
pub(crate) struct Instep {
    folder: Folder,
    running: Option<(Process, Api)>,
}

impl Instep {
    /// One that does not run yet.
    pub(crate) fn new(config: &str) -> Self {
        Self { folder: Folder::with(config), running: None }
    }

    /// Starts it, and waits until it is ready.
    pub(crate) fn start(&mut self) {
        self.running = Some(Process::start(&self.folder));
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.running = None;
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) fn stop(&mut self) {
        let (process, _) = self.running.take().expect("it runs");
        process.signal("TERM");
        let (_, code) = process.rest();
        assert_eq!(code, Some(0), "a clean stop: {}", self.log());
    }

    /// Sends it a signal, such as `STOP`.
    pub(crate) fn signal(&self, name: &str) {
        self.running.as_ref().expect("it runs").0.signal(name);
    }

    /// What it says of itself.
    pub(crate) fn status(&self) -> Value {
        self.running.as_ref().expect("it runs").1.json("/v1/status")
    }

    /// What it has logged, in all runs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("instep.log")).unwrap_or_default()
    }

    /// What `instep status` says of it.
    pub(crate) fn table(&self) -> String {
        let url = self.running.as_ref().expect("it runs").1.url();
        self.folder.run(&format!("status --url {url}")).out
    }

    /// It does nothing about its only failure.
    pub(crate) fn refuses_to(&self, what: &str, status: u16, code: &str) {
        let api = &self.running.as_ref().expect("it runs").1;
        let failures = api.json("/v1/failures");
        let id = failures["failures"][0]["id"].as_str().expect("a failure");
        api.post(&format!("/v1/failures/{id}/{what}")).problem(status, code);
    }

    /// Whether it has run since its disk was empty.
    pub(crate) fn has_run(&self) -> bool {
        self.folder.path().join("data/catalog.db").exists()
    }

    /// Its name, which leases and slots have.
    pub(crate) fn name(&self) -> String {
        let catalog = open(&self.folder.path().join("data/catalog.db"));
        catalog.query_row("select name from instance", [], |row| row.get(0)).expect("it has run")
    }

    /// Takes everything away that it has kept; while it does not run.
    pub(crate) fn lose_disk(&self) {
        fs::remove_dir_all(self.folder.path().join("data")).expect("it has run");
    }
}
