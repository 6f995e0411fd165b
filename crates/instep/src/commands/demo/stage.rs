//! Both platforms under the same changes, and Instep beside one of them, from the start of a demo to
//! its last change. Everything that is decided stands elsewhere; here it is done, a round at a time.

use super::breaking::{Breaking, HANG_UPS};
use super::compare::{Read, Rows};
use super::folder::{FOLLOWED, Folder, TODAY};
use super::instance::Instance;
use super::keys::Keys;
use super::moment::{Doing, Moment, Seen};
use super::plan::{Change, Plan, What};
use super::screen::Screen;
use super::script::{Blow, Script, far};
use super::side::Side;
use super::tally::Tally;
use std::fmt::Display;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// Everything that takes part.
#[derive(Debug)]
pub(super) struct Stage {
    /// The platform as it is today.
    pub(super) today: Side,
    /// The platform that Instep follows.
    pub(super) followed: Side,
    /// Instep.
    pub(super) instance: Instance,
    /// What has happened, in numbers.
    pub(super) tally: Tally,
    plan: Plan,
    breaking: Breaking,
    moment: Moment,
}

/// A round of changes, and how often there is one: some hundred changes a second on both sides.
const ROUND: usize = 30;
const PACE: Duration = Duration::from_millis(250);

/// How long a picture waits for changes that are on their way.
const GLANCE: Duration = Duration::from_millis(200);

/// Rows are compared every so many rounds.
const ROWS_EVERY: u32 = 4;

/// One in so many calls between services fails.
const FAILS_ONE_IN: u64 = 25;

/// How long what a key breaks stays broken.
const BROKEN: Duration = Duration::from_secs(4);

/// How long Instep may take to be ready for the first time.
const READY: Duration = Duration::from_secs(60);

impl Stage {
    /// Starts both platforms, and Instep.
    pub(super) async fn start(
        folder: &Folder,
        (seed, whole): (u64, Duration),
    ) -> Result<Self, String> {
        let today = Side::start(folder, TODAY, FAILS_ONE_IN).await.map_err(told)?;
        let followed = Side::start(folder, FOLLOWED, 0).await.map_err(told)?;
        let mut instance = Instance::new(folder);
        instance.start().map_err(|error| format!("Instep can not be started: {error}"))?;
        Ok(Self {
            today,
            followed,
            instance,
            tally: Tally::default(),
            plan: Plan::new(seed),
            breaking: Breaking::default(),
            moment: Moment { whole, seed, ..Moment::default() },
        })
    }

    /// Changes questions and breaks things for as long as it shall take.
    pub(super) async fn play(
        &mut self,
        screen: &mut Screen,
        mut keys: Option<Keys>,
    ) -> Result<(), String> {
        self.moment.has_keys = keys.is_some();
        screen.show(&self.moment);
        self.ready().await?;
        let (began, whole) = (Instant::now(), self.moment.whole);
        let mut script = Script::over(whole);
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut rounds = 0;
        while far(began.elapsed(), whole, rounds) < whole {
            ticks.tick().await;
            self.moment.elapsed = began.elapsed().min(whole);
            for blow in script.due(far(began.elapsed(), whole, rounds)) {
                self.strike(blow);
            }
            while let Some(key) = keys.as_mut().and_then(Keys::next) {
                if !self.press(key) {
                    return self.end(screen).await;
                }
            }
            let mended = self.breaking.mend(&mut self.instance, false)?;
            self.say(mended);
            self.still_runs()?;
            self.round().await?;
            self.look(rounds.is_multiple_of(ROWS_EVERY)).await?;
            screen.show(&self.moment);
            rounds += 1;
        }
        self.moment.elapsed = whole;
        self.end(screen).await
    }

    /// The last change, in each shard, over whole stores.
    async fn end(&mut self, screen: &mut Screen) -> Result<(), String> {
        let mended = self.breaking.mend(&mut self.instance, true)?;
        self.say(mended);
        self.today.network().fail_one_in(0);
        let last = self.plan.last(2);
        self.change(&last).await?;
        self.say(["the last change is made; everything is compared".to_owned()]);
        screen.show(&self.moment);
        Ok(())
    }

    /// Waits until Instep answers for the first time.
    async fn ready(&mut self) -> Result<(), String> {
        let until = Instant::now() + READY;
        while self.instance.url().is_none() {
            self.still_runs()?;
            if Instant::now() >= until {
                return Err("Instep does not become ready".to_owned());
            }
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Fails if Instep has ended although nobody has killed it.
    pub(super) fn still_runs(&mut self) -> Result<(), String> {
        match self.instance.ended() {
            Some(status) => Err(format!("Instep has ended by itself, {status}")),
            None => Ok(()),
        }
    }

    /// Makes the next changes on both sides, and waits until all are made.
    async fn round(&mut self) -> Result<(), String> {
        let changes = self.plan.round(ROUND);
        if std::mem::take(&mut self.breaking.hang_up) {
            let new: Vec<_> =
                changes.iter().filter(|it| is_new(it)).take(HANG_UPS).cloned().collect();
            // Those clients come again with the others, and ask for the same once more.
            tokio::join!(self.today.hang_up(&new), self.followed.hang_up(&new));
        }
        self.change(&changes).await
    }

    async fn change(&mut self, changes: &[Change]) -> Result<(), String> {
        tokio::try_join!(self.today.change(changes), self.followed.change(changes))
            .map_err(told)?;
        self.tally.changes += changes.len();
        Ok(())
    }

    /// Looks at what every service answers.
    async fn look(&mut self, with_rows: bool) -> Result<(), String> {
        let down = self.breaking.down_since();
        seen(&self.today, &mut self.moment.today).await?;
        seen(&self.followed, &mut self.moment.followed).await?;
        if down.is_none() && !self.breaking.holds_stores() {
            self.glance().await;
        }
        if with_rows {
            self.moment.today.rows = rows_of(&self.today)?;
            self.moment.followed.rows = rows_of(&self.followed)?;
        }
        let is_equal = self.moment.followed.is_equal();
        self.moment.instep = match down {
            Some(since) => Doing::Killed(since.elapsed()),
            None if is_equal => Doing::Equal,
            None if self.instance.url().is_none() => Doing::Starting,
            None => Doing::CatchingUp,
        };
        if is_equal {
            let right = self.breaking.right();
            self.say(right);
        }
        let failed = self.today.network().failed();
        if failed > 0 && self.moment.failed == 0 {
            self.say(["the first second write failed; it was logged, and that was all".to_owned()]);
        }
        self.moment.changes = self.tally.changes;
        self.moment.failed = failed;
        self.moment.store_stopped = self.breaking.holds_stores();
        Ok(())
    }

    /// Lets what is on its way arrive, for a moment.
    async fn glance(&mut self) {
        let arrive = async {
            while !self.moment.followed.is_equal() {
                sleep(GLANCE / 20).await;
                self.moment.followed.answers = self.followed.answers().await;
            }
        };
        // What takes longer is shown as it is.
        let _ = timeout(GLANCE, arrive).await;
    }

    fn strike(&mut self, blow: Blow) {
        let stores = [&self.today.files, &self.followed.files];
        let said = self.breaking.strike(blow, (&mut self.instance, &stores), &mut self.tally);
        self.say(said);
    }

    /// Does what a key asks for; false if it asks for the end.
    fn press(&mut self, key: u8) -> bool {
        match key {
            b'k' => self.strike(Blow::Kill(BROKEN)),
            b's' => self.strike(Blow::StopStore(BROKEN)),
            b'd' => self.strike(Blow::HangUp),
            b'f' => {
                let network = self.today.network();
                let (one_in, said) = match network.fails_one_in() {
                    0 => (FAILS_ONE_IN, "second writes fail now and then, again"),
                    _ => (0, "no second write fails by chance any more"),
                };
                network.fail_one_in(one_in);
                self.say([said.to_owned()]);
            }
            b'q' => return false,
            _ => {}
        }
        true
    }

    fn say(&mut self, happened: impl IntoIterator<Item = String>) {
        let at = self.moment.elapsed;
        self.moment.happened.extend(happened.into_iter().map(|text| (at, text)));
        let skipped = self.moment.happened.len().saturating_sub(HAPPENED_MAX);
        self.moment.happened.drain(..skipped);
    }
}

/// As many happenings are kept as anybody can have seen.
const HAPPENED_MAX: usize = 1_000;

/// Looks at a platform: a recount, and what each service answers.
async fn seen(side: &Side, seen: &mut Seen) -> Result<(), String> {
    seen.recount = side.files.recount().map_err(told)?;
    seen.answers = side.answers().await;
    Ok(())
}

/// The quiz service's copy against the shards. The copy that Instep makes may not be there yet.
fn rows_of(side: &Side) -> Result<Rows, String> {
    let source = side.files.source().map_err(told)?;
    let copy = side.files.copy().unwrap_or_default();
    Ok(Rows::compare(&Read { source, copy, ..Read::default() }))
}

fn is_new(change: &Change) -> bool {
    matches!(change.what, What::Insert(_))
}

fn told(error: impl Display) -> String {
    error.to_string()
}
