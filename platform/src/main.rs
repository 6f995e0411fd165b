//! The program `platform`: runs the services of a file of addresses until it is told to stop.

use instep_platform::{Addresses, Mode, Network, Platform};
use std::path::PathBuf;
use std::process::ExitCode;
use tokio::runtime::Builder;

const USAGE: &str = "platform FILE [--legacy]

  FILE      the file of addresses, such as `instep demo --keep DIR` writes
  --legacy  the services keep copies and counts themselves, by second writes";

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("platform: {why}");
            ExitCode::from(2)
        }
    }
}

fn work() -> Result<(), String> {
    let mut typed = std::env::args().skip(1);
    let (mut file, mut is_legacy) = (None, false);
    for argument in typed.by_ref() {
        match argument.as_str() {
            "--legacy" => is_legacy = true,
            "--help" | "-h" => {
                println!("{USAGE}");
                return Ok(());
            }
            _ if file.is_none() => file = Some(PathBuf::from(argument)),
            _ => return Err(format!("one file is enough\n\n{USAGE}")),
        }
    }
    let file = file.ok_or_else(|| format!("no file is named\n\n{USAGE}"))?;
    let mut addresses = Addresses::read(&file).map_err(|trouble| trouble.to_string())?;
    if is_legacy {
        addresses.mode = Mode::Legacy;
    }
    let runtime = Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let started = Platform::start(&addresses, Network::default()).await;
        let platform = started.map_err(|trouble| trouble.to_string())?;
        println!("questions http://{}/questions/count", platform.questions);
        println!("quiz      http://{}/questions/count", platform.quiz);
        println!("reporting http://{}/questions/count", platform.reporting);
        let waited = tokio::signal::ctrl_c().await;
        platform.stop().await;
        waited.map_err(|error| error.to_string())
    })
}
