//! Login: who we are, in whichever way the server asks.
//!
//! A password is never sent as it is over a connection that others can read, and where the server
//! can, the login is bound to the encryption, so that nobody can sit in between.

use super::access::{Access, Binding};
use super::fixed::SETTINGS;
use super::link::Stream;
use super::trouble::Trouble;
use super::wire::{Packet, Wire};
use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{
    ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256,
};
use postgres_protocol::message::frontend;
use std::collections::BTreeMap;
use std::io;

/// What the server said about itself, by name.
pub(super) type Parameters = BTreeMap<String, String>;

/// Logs in for replication.
pub(super) async fn login(stream: Stream, access: &Access) -> Result<(Wire, Parameters), Trouble> {
    let mut wire = Wire::new(stream);
    let mut parameters = vec![
        ("user", &*access.user),
        ("database", &*access.database),
        ("replication", "database"),
        ("application_name", &*access.application_name),
    ];
    parameters.extend(access.options.as_deref().map(|options| ("options", options)));
    parameters.extend(SETTINGS);
    let mut out = BytesMut::new();
    frontend::startup_message(parameters, &mut out).map_err(|error| unsendable(&error))?;
    wire.send(&out).await?;
    authenticate(&mut wire, access).await?;
    let mut parameters = Parameters::new();
    loop {
        let packet = wire.next().await?;
        match packet.tag {
            b'S' => parameters.extend(parameter(packet.body())),
            b'K' => {}
            b'Z' => return Ok((wire, parameters)),
            other => return Err(unexpected(other)),
        }
    }
}

/// The numbers behind the letter `R`.
const OK: u32 = 0;
const CLEARTEXT: u32 = 3;
const MD5: u32 = 5;
const SASL: u32 = 10;

async fn authenticate(wire: &mut Wire, access: &Access) -> Result<(), Trouble> {
    let (kind, rest) = asked(&wire.next().await?)?;
    if access.binding == Binding::Require && kind != SASL {
        return Err(unbound());
    }
    let mut out = BytesMut::new();
    match kind {
        OK => return Ok(()),
        CLEARTEXT if is_readable(wire.stream()) => {
            let what = "the server wants the password as it is, over a connection that others can \
                        read: use sslmode=verify-full, or scram-sha-256 in its pg_hba.conf";
            return Err(Trouble::Login(what.to_owned()));
        }
        CLEARTEXT => frontend::password_message(password(access)?, &mut out)
            .map_err(|error| unsendable(&error))?,
        MD5 => {
            let salt = *rest.first_chunk().ok_or_else(|| Trouble::malformed("a salt is short"))?;
            let hash = md5_hash(access.user.as_bytes(), password(access)?, salt);
            frontend::password_message(hash.as_bytes(), &mut out)
                .map_err(|error| unsendable(&error))?;
        }
        SASL => {
            scram(wire, access, &rest).await?;
            return expect_ok(wire).await;
        }
        other => {
            let what = format!("the server asks for a login of kind {other}, which is not known");
            return Err(Trouble::Login(format!("{what}: scram-sha-256, md5 and password are")));
        }
    }
    wire.send(&out).await?;
    expect_ok(wire).await
}

/// Sockets of this machine are as good as encrypted.
fn is_readable(stream: &Stream) -> bool {
    !stream.is_encrypted() && !matches!(stream, Stream::Socket(_))
}

async fn scram(wire: &mut Wire, access: &Access, offered: &[u8]) -> Result<(), Trouble> {
    let offers = |name: &str| offered.split(|&byte| byte == 0).any(|it| it == name.as_bytes());
    let binding = wire.stream().binding().filter(|_| access.binding != Binding::Disable);
    let (mechanism, binding) = match binding {
        Some(bytes) if offers(SCRAM_SHA_256_PLUS) => {
            (SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(bytes.to_vec()))
        }
        _ if access.binding == Binding::Require => return Err(unbound()),
        // Says that we could: if the server could as well, somebody sits in between.
        Some(_) => (SCRAM_SHA_256, ChannelBinding::unrequested()),
        None => (SCRAM_SHA_256, ChannelBinding::unsupported()),
    };
    if !offers(mechanism) {
        let what = "the server offers no way to log in that is known: scram-sha-256 is";
        return Err(Trouble::Login(what.to_owned()));
    }
    let mut scram = ScramSha256::new(password(access)?, binding);
    let mut out = BytesMut::new();
    frontend::sasl_initial_response(mechanism, scram.message(), &mut out)
        .map_err(|error| unsendable(&error))?;
    wire.send(&out).await?;
    let (_, rest) = asked(&wire.next().await?)?;
    scram.update(&rest).map_err(|error| no_proof(&error))?;
    out.clear();
    frontend::sasl_response(scram.message(), &mut out).map_err(|error| unsendable(&error))?;
    wire.send(&out).await?;
    let (_, rest) = asked(&wire.next().await?)?;
    scram.finish(&rest).map_err(|error| no_proof(&error))
}

async fn expect_ok(wire: &mut Wire) -> Result<(), Trouble> {
    match asked(&wire.next().await?)? {
        (OK, _) => Ok(()),
        (other, _) => Err(Trouble::malformed(format!("a login goes on with {other} at its end"))),
    }
}

/// What an `R` asks for: a number, and what belongs to it.
fn asked(packet: &Packet) -> Result<(u32, Vec<u8>), Trouble> {
    match (packet.tag, packet.body().split_first_chunk()) {
        (b'R', Some((kind, rest))) => Ok((u32::from_be_bytes(*kind), rest.to_vec())),
        (other, _) => Err(unexpected(other)),
    }
}

fn password(access: &Access) -> Result<&[u8], Trouble> {
    let password = access.password.as_ref();
    let missing = || Trouble::Login("the server wants a password, and the URL has none".to_owned());
    password.map(|password| password.as_bytes()).ok_or_else(missing)
}

fn parameter(body: &[u8]) -> Option<(String, String)> {
    let mut parts = body.split(|&byte| byte == 0);
    let mut text = || Some(String::from_utf8_lossy(parts.next()?).into_owned());
    Some((text()?, text()?))
}

fn unbound() -> Trouble {
    let what = "channel_binding=require, but the server takes a login that is not bound to the \
                encryption: it needs TLS and scram-sha-256";
    Trouble::Login(what.to_owned())
}

fn no_proof(error: &io::Error) -> Trouble {
    Trouble::Login(format!("the server could not show that it knows the password: {error}"))
}

fn unsendable(error: &io::Error) -> Trouble {
    Trouble::Login(format!("a name or a password cannot be sent: {error}"))
}

fn unexpected(tag: u8) -> Trouble {
    Trouble::malformed(format!("{:?} in the middle of a login", char::from(tag)))
}
