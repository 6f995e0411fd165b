//! What is broken now, and when it is whole again.

use super::files::Files;
use super::instance::Instance;
use super::script::Blow;
use super::tally::Tally;
use rusqlite::Connection;
use tokio::time::Instant;

/// What is broken now.
#[derive(Debug, Default)]
pub(super) struct Breaking {
    /// When Instep was killed, and when it is started again.
    killed: Option<(Instant, Instant)>,
    /// The reporting stores, held, and until when.
    held: Option<(Vec<Connection>, Instant)>,
    /// When Instep was started, or its store came back, if not every answer was right since.
    mending: Option<(Instant, Mended)>,
    /// Whether clients hang up with the next changes.
    pub(super) hang_up: bool,
}

#[derive(Clone, Copy, Debug)]
enum Mended {
    Instance,
    Stores,
}

/// How many answers are left without a reader at once.
pub(super) const HANG_UPS: usize = 8;

impl Breaking {
    /// Breaks something, and says so.
    pub(super) fn strike(
        &mut self,
        blow: Blow,
        (instance, stores): (&mut Instance, &[&Files]),
        tally: &mut Tally,
    ) -> Option<String> {
        let now = Instant::now();
        match blow {
            Blow::HangUp => {
                self.hang_up = true;
                tally.hang_ups += HANG_UPS;
                Some(format!("{HANG_UPS} clients dropped their connections while they wrote"))
            }
            Blow::Kill(_) if !instance.runs() => None,
            Blow::Kill(long) => {
                instance.kill();
                self.killed = Some((now, now + long));
                self.mending = None;
                tally.kills += 1;
                Some(
                    "Instep was killed (SIGKILL); its services answer what was true then"
                        .to_owned(),
                )
            }
            Blow::StopStore(_) if self.held.is_some() => None,
            Blow::StopStore(long) => {
                let held: Result<_, _> =
                    stores.iter().map(|files| files.stop_reporting()).collect();
                // A machine may be too busy for it; that is no reason to end.
                let Ok(held) = held else {
                    return Some("the reporting stores are busy, and were not stopped".to_owned());
                };
                self.held = Some((held, now + long));
                tally.stops += 1;
                Some("both reporting stores take no writes".to_owned())
            }
        }
    }

    /// Mends what is due, or everything, and says so.
    pub(super) fn mend(
        &mut self,
        instance: &mut Instance,
        all: bool,
    ) -> Result<Vec<String>, String> {
        let now = Instant::now();
        let mut said = Vec::new();
        if self.killed.is_some_and(|(_, until)| all || now >= until) {
            instance.start().map_err(|error| format!("Instep can not be started: {error}"))?;
            self.killed = None;
            self.mending = Some((now, Mended::Instance));
        }
        if self.held.as_ref().is_some_and(|(_, until)| all || now >= *until) {
            self.held = None;
            self.mending = Some((now, Mended::Stores));
            said.push("both reporting stores take writes again".to_owned());
        }
        Ok(said)
    }

    /// Every answer of the followed side is right: says so if that was waited for.
    pub(super) fn right(&mut self) -> Option<String> {
        if self.killed.is_some() || self.held.is_some() {
            return None;
        }
        let (since, what) = self.mending.take()?;
        let took = since.elapsed().as_secs_f64();
        Some(match what {
            Mended::Instance => {
                format!("Instep is back: every answer is right {took:.1} s after its start")
            }
            Mended::Stores => format!(
                "the pushed counts are right after {took:.1} s; what was lost today stays lost"
            ),
        })
    }

    /// When Instep was killed, if it is down.
    pub(super) fn down_since(&self) -> Option<Instant> {
        self.killed.map(|(since, _)| since)
    }

    /// Whether the reporting stores take no writes.
    pub(super) fn holds_stores(&self) -> bool {
        self.held.is_some()
    }
}
