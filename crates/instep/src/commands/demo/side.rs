//! One of the two platforms: its services, those who change its questions, and what it answers.

use super::files::Files;
use super::folder::Folder;
use super::numbers::{self, Answers};
use super::plan::{Change, Text, What};
use platform::{Addresses, Caller, Network, Platform, Trouble};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

/// A platform that runs.
#[derive(Debug)]
pub(super) struct Side {
    platform: Platform,
    questions: Caller,
    quiz: Caller,
    reporting: Caller,
    /// Its files.
    pub(super) files: Files,
}

/// How many people write at once. One question is always written by the same one.
const WRITERS: i64 = 4;

/// How often a change is tried before the demo is given up, and how long after a failure.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(100);

impl Side {
    /// Starts the platform of this name, over a network that fails one call in so many.
    pub(super) async fn start(
        folder: &Folder,
        name: &str,
        fails_one_in: u64,
    ) -> Result<Self, Trouble> {
        let addresses = Addresses::read(&folder.at(name).join("platform.json"))?;
        let network = Network::failing_one_in(fails_one_in);
        let platform = Platform::start(&addresses, network).await?;
        Ok(Self {
            questions: Caller::new(platform.questions),
            quiz: Caller::new(platform.quiz),
            reporting: Caller::new(platform.reporting),
            files: Files::new(&folder.at(name)),
            platform,
        })
    }

    /// The network between its services.
    pub(super) fn network(&self) -> &Network {
        self.platform.network()
    }

    /// Makes these changes, some of them at once; those of one question in their order.
    pub(super) async fn change(&self, changes: &[Change]) -> Result<(), Trouble> {
        let writer = async |number: i64| {
            for change in changes.iter().filter(|change| change.id % WRITERS == number) {
                self.write(change).await?;
            }
            Ok::<_, Trouble>(())
        };
        tokio::try_join!(writer(0), writer(1), writer(2), writer(3)).map(drop)
    }

    /// Makes one change; what fails is made again, as clients do.
    async fn write(&self, change: &Change) -> Result<(), Trouble> {
        let path = format!("/questions/{}", change.id);
        let mut tries = 0;
        loop {
            let made = match &change.what {
                What::Insert(text) | What::Update(text) => {
                    self.questions.put(&path, &body(text)).await
                }
                What::Delete => self.questions.delete(&path).await,
            };
            tries += 1;
            match made {
                Err(trouble) if tries >= TRIES => return Err(trouble),
                Err(_) => sleep(PAUSE).await,
                Ok(_) => return Ok(()),
            }
        }
    }

    /// Asks for these new questions to be written, and closes each connection before the answer.
    /// Waits a moment until what was begun is done, so that it comes before what follows.
    pub(super) async fn hang_up(&self, changes: &[Change]) {
        for change in changes {
            let What::Insert(text) = &change.what else { continue };
            // A request that does not even leave is a connection that is dropped as well.
            let _ = request(&self.questions, change.id, text).await;
            for _ in 0..10 {
                let asked = self.questions.get(&format!("/questions/{}", change.id)).await;
                if asked.is_ok_and(|row| !row.is_null()) {
                    break;
                }
                sleep(PAUSE / 10).await;
            }
        }
    }

    /// What each service answers now.
    pub(super) async fn answers(&self) -> Answers {
        let ask = async |service: &Caller| {
            let answer = service.get("/questions/count").await.ok()?;
            numbers::read(&answer)
        };
        tokio::join!(ask(&self.questions), ask(&self.quiz), ask(&self.reporting)).into()
    }

    /// Stops the services, and waits until their files are closed.
    pub(super) async fn stop(self) {
        // Their idle connections would be waited for.
        drop((self.questions, self.quiz, self.reporting));
        self.platform.stop().await;
    }
}

fn body(text: &Text) -> Value {
    json!({ "topic": text.topic, "text": text.text })
}

/// Writes a request and waits for nothing.
async fn request(service: &Caller, id: i64, text: &Text) -> std::io::Result<()> {
    let (address, body) = (service.address(), body(text).to_string());
    let head = format!(
        "PUT /questions/{id} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all((head + &body).as_bytes()).await
}
