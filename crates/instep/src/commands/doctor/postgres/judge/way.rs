//! PURE: how we get to a server: names, addresses, encryption, login.

use crate::commands::doctor::check::{Check, Layer};
use crate::commands::doctor::postgres::dial::Tried;
use crate::commands::doctor::processes;
use crate::problem::Problem;
use connectors::postgres::Access;
use connectors::postgres::access::{Encryption, Server};
use model::{Code, Fault};
use std::time::Duration;

/// What the names of the servers lead to: one that does is enough.
pub(in crate::commands::doctor::postgres) fn names(
    tried: &[Tried<String>],
    unavailable: Code,
) -> Check {
    let told = tried.iter().map(|Tried { server, outcome }| match outcome {
        Ok(found) if *found == server.to_string() => found.clone(),
        Ok(found) => format!("{server} is {found}"),
        Err(error) => format!("{server} leads nowhere: {error}"),
    });
    let layer = Layer::Name;
    one_of((layer, "look up its servers"), tried, &told.collect::<Vec<_>>(), unavailable)
}

/// Whether anything answers there: one server that does is enough.
pub(in crate::commands::doctor::postgres) fn answers(
    tried: &[Tried<Duration>],
    unavailable: Code,
) -> Check {
    let told = tried.iter().map(|Tried { server, outcome }| match outcome {
        Ok(took) => format!("{server} answers in {took:.1?}"),
        Err(error) => format!("{server}: {error}"),
    });
    let look = (Layer::Connect, "connect to its servers");
    let check = one_of(look, tried, &told.collect::<Vec<_>>(), unavailable);
    let is_here = |tried: &Tried<Duration>| is_here(&tried.server);
    match processes::container() {
        Some(evidence) if check.problem.is_some() && tried.iter().any(is_here) => {
            let why = "this process runs in a container, whose own loopback that is, and not the \
                       machine's";
            check.because(format!("{evidence} is there: {why}"))
        }
        _ => check,
    }
}

fn one_of<T>(
    (layer, what): (Layer, &str),
    tried: &[Tried<T>],
    told: &[String],
    unavailable: Code,
) -> Check {
    match tried.iter().any(|tried| tried.outcome.is_ok()) {
        true => Check::good(layer, what, told.join("; ")),
        false => Check::bad(layer, what, unavailable, told.join("; ")),
    }
}

/// Whether a server is on this machine, so that nobody sits in between.
fn is_here(server: &Server) -> bool {
    match server {
        Server::Socket { .. } => true,
        Server::Tcp { name, .. } => {
            let address = name.parse::<std::net::IpAddr>();
            name == "localhost" || address.is_ok_and(|it| it.is_loopback())
        }
    }
}

/// Whether others can read the connection, or pretend to be the server.
pub(in crate::commands::doctor::postgres) fn encryption(
    access: &Access,
    is_encrypted: bool,
) -> Check {
    let (layer, tried) = (Layer::Tls, "encrypt the connection");
    let away = access.servers.iter().find(|server| !is_here(server));
    let Some(away) = away else {
        return Check::good(
            layer,
            tried,
            match is_encrypted {
                true => "it is encrypted",
                false => "it is not, and stays on this machine",
            },
        );
    };
    match (is_encrypted, access.encryption_of(away)) {
        (true, Encryption::VerifyFull) => {
            Check::good(layer, tried, "it is, and the certificate names the server")
        }
        (true, Encryption::VerifyCa) => {
            Check::good(layer, tried, "it is, and the certificate is trusted")
        }
        (true, _) => {
            let what = "it is encrypted, and nobody vouches for the server at the other end";
            Check::bad(layer, tried, Code::PostgresPlain, what)
        }
        (false, _) => Check::bad(layer, tried, Code::PostgresPlain, "it is not encrypted"),
    }
}

/// Whether a server that refuses the stream in this way can still be asked what it lacks.
pub(in crate::commands::doctor::postgres) fn may_be_asked(code: Code) -> bool {
    matches!(code, Code::PostgresPrivilege | Code::PostgresSlot | Code::PostgresLogin)
}

/// A pooler before a database that is only written to: it may serve, and is asked nothing.
pub(in crate::commands::doctor::postgres) fn pooler(tried: &str) -> Check {
    let what = "a pooler stands in between, which is asked nothing";
    let why = "what a look sets would stay behind in a connection that others share";
    let fix = "name the server itself, so that it can be looked at";
    let problem = Problem::new(Code::NotMeasured, what, why, fix);
    Check::problem(Layer::Authentication, tried, problem)
}

/// A server that refuses everything, or no server at all.
pub(in crate::commands::doctor::postgres) fn refused(
    tried: &str,
    access: &Access,
    fault: &Fault,
) -> Check {
    let layer = Layer::Authentication;
    let check = Check::bad(layer, tried, fault.code, &*fault.what);
    let poolers = |server: &&Server| match server {
        Server::Socket { .. } => false,
        Server::Tcp { name, port } => name.contains("pooler") || *port == 6432,
    };
    match access.servers.iter().find(poolers) {
        Some(server) if fault.code == Code::PostgresPooler => {
            check.because(format!("{server} is an address that poolers have"))
        }
        _ => check,
    }
}

/// A server that lets us in for queries; for the stream, too, unless there is a fault.
pub(in crate::commands::doctor::postgres) fn let_in(
    tried: &str,
    access: &Access,
    stream: Option<&Fault>,
) -> Check {
    let layer = Layer::Authentication;
    match stream {
        None => Check::good(layer, tried, format!("{} is let in", access.user)),
        Some(fault) if fault.code == Code::PostgresLogin => {
            let check = Check::bad(layer, tried, fault.code, &*fault.what);
            check.because("the same login is let in for queries")
        }
        // What is lacking is told with everything else that is.
        Some(_) => Check::good(layer, "log in", format!("{} is let in for queries", access.user)),
    }
}
