//! Journal: the built-in log, as the port sees it.
//!
//! Each verb is one or two jobs for the offload; a write and its sync are always two. Must not
//! know: how a job does it.

use crate::disk::{Disk, Lock};
use crate::fault::{self, lock};
use crate::lane::{Lane, Shared, Sight};
use crate::lane_dir;
use crate::offload::{Offload, Wanted, answer, answer_in_turn};
use crate::options::Options;
use crate::recovery::recover;
use crate::room::Room;
use crate::spare::Spare;
use crate::{append, reader, stage, trim};
use async_trait::async_trait;
use model::log::StagedPart;
use model::{Append, Bounds, Code, Epoch, Fault, Lane as Name, Log, Offset, Read, TransactionId};
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::sync::{Arc, Mutex};

/// Lanes in segment files below one directory, which no other process may open.
pub struct Journal {
    shared: Arc<Shared>,
    lanes: Mutex<BTreeMap<Name, Arc<Lane>>>,
    offload: Arc<dyn Offload>,
}

impl Journal {
    /// Opens the journal in `dir`, made if it is missing, and recovers what the last run left.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: Options,
        offload: Arc<dyn Offload>,
    ) -> Result<Self, Fault> {
        let lock = take_lock(&*disk, dir)?;
        let options = options.sound();
        let room = Room::new(options.journal_bytes_max);
        let spare = Spare::keep(&*disk, dir, options.journal_bytes_max);
        room.take_anyway(spare.bytes());
        let dir_of_all = dir.to_owned();
        let shared = Arc::new(Shared { disk, dir: dir_of_all, options, room, spare, _lock: lock });
        let names = shared.disk.list(dir).map_err(|error| fault::disk("list", dir, error))?;
        let mut lanes = BTreeMap::new();
        for (name, below) in names.iter().filter_map(|below| Some((lane_dir::parse(below)?, below)))
        {
            let lane = recover(&shared, name.clone(), dir.join(below))?;
            lanes.insert(name, Arc::new(lane));
        }
        shared.disk.sync_dir(dir).map_err(|error| fault::disk("sync", dir, error))?;
        Ok(Self { shared, lanes: Mutex::new(lanes), offload })
    }

    fn lane(&self, name: &Name) -> Result<Arc<Lane>, Fault> {
        let mut lanes = lock(&self.lanes)?;
        if let Some(lane) = lanes.get(name) {
            return Ok(Arc::clone(lane));
        }
        let below = lane_dir::name(name)?;
        let shared = Arc::clone(&self.shared);
        let dir = self.shared.dir.join(below);
        let lane = Arc::new(Lane::new(name.clone(), dir, shared, Vec::new(), Default::default()));
        lanes.insert(name.clone(), Arc::clone(&lane));
        Ok(lane)
    }

    async fn on<T: Send + 'static>(
        &self,
        lane: &Arc<Lane>,
        job: impl FnOnce(&Lane, Wanted<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let lane = Arc::clone(lane);
        answer(&*self.offload, move |wanted| job(&lane, wanted)).await
    }
}

#[async_trait]
impl Log for Journal {
    async fn bounds(&self, lane: &Name) -> Result<Bounds, Fault> {
        let lane = self.lane(lane)?;
        // An append that was dropped may have written what nobody synced yet.
        self.on(&lane, |lane, _| lane.settle()).await?;
        lane.bounds()
    }

    async fn stage(&self, lane: &Name, part: StagedPart) -> Result<(), Fault> {
        let lane = self.lane(lane)?;
        self.on(&lane, |lane, wanted| stage::stage(lane, part, wanted)).await
    }

    async fn unstage(
        &self,
        lane: &Name,
        transaction: TransactionId,
        sub: TransactionId,
    ) -> Result<(), Fault> {
        let lane = self.lane(lane)?;
        self.on(&lane, move |lane, wanted| stage::unstage(lane, transaction, sub, wanted)).await
    }

    async fn append(&self, lane: &Name, entries: Vec<Append>, epoch: Epoch) -> Result<(), Fault> {
        let lane = self.lane(lane)?;
        let staged = append::staged_in(&entries);
        if !staged.is_empty() {
            self.on(&lane, move |lane, _| stage::seal(lane, &staged)).await?;
        }
        let write =
            move |lane: &Lane, wanted: Wanted<'_>| append::write(lane, entries, epoch, wanted);
        let (writing, syncing) = (Arc::clone(&lane), lane);
        answer_in_turn(
            &*self.offload,
            move |wanted| write(&writing, wanted),
            move |end| syncing.sync_to(&end),
        )
        .await
    }

    async fn read(
        &self,
        lane: &Name,
        after: Option<&Offset>,
        bytes_max: usize,
    ) -> Result<Read, Fault> {
        let lane = self.lane(lane)?;
        loop {
            // Registered before looking, so that news in between is not missed.
            let mut news = pin!(lane.news.notified());
            news.as_mut().enable();
            let sight = lane.sight(after)?;
            if matches!(sight, Sight::From(_))
                && let Some(entries) = lane.recent(after, bytes_max)?
            {
                return Ok(Read::Entries(entries));
            }
            if !matches!(sight, Sight::Nothing) {
                let after = after.cloned();
                let job =
                    move |lane: &Lane, _: Wanted<'_>| reader::read(lane, after.as_ref(), bytes_max);
                if let Some(read) = self.on(&lane, job).await? {
                    return Ok(read);
                }
            }
            news.await;
        }
    }

    async fn trim(&self, lane: &Name, upto: &Offset) -> Result<(), Fault> {
        let lane = self.lane(lane)?;
        let upto = upto.clone();
        self.on(&lane, move |lane, wanted| trim::trim(lane, &upto, wanted)).await
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("dir", &self.shared.dir).finish_non_exhaustive()
    }
}

/// The directory and those above it that are not there. One that is there, but whose name may not
/// be durable yet, counts too: the last to open this journal may have died before its sync.
fn missing<'a>(disk: &dyn Disk, dir: &'a Path) -> Vec<&'a Path> {
    let mut missing = vec![dir];
    for above in dir.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
        if disk.list(above).is_ok() {
            break;
        }
        missing.push(above);
    }
    missing
}

/// Makes the directory and locks it.
fn take_lock(disk: &dyn Disk, dir: &Path) -> Result<Lock, Fault> {
    let missing = missing(disk, dir);
    disk.create_dir_all(dir).map_err(|error| fault::disk("make", dir, error))?;
    // Each directory that was made is a name in the one above it.
    for made in missing {
        let above = match made.parent() {
            Some(above) if above.as_os_str().is_empty() => Path::new("."),
            Some(above) => above,
            None => continue,
        };
        disk.sync_dir(above).map_err(|error| fault::disk("sync", above, error))?;
    }
    let path = dir.join("lock");
    disk.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            Fault::stop(Code::DataLocked, format!("another process holds {}", path.display()))
        }
        _ => fault::disk("lock", &path, error),
    })
}
