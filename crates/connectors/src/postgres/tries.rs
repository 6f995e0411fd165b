//! PURE: which server to try next, and whether one will do.

use super::access::{Access, Role, Server};
use super::trouble::Trouble;
use std::collections::VecDeque;

/// The servers that are still to be tried, and what was wrong with those that were.
pub(super) struct Tries<'a> {
    left: VecDeque<(&'a Server, Role)>,
    wanted: Role,
    failed: Vec<(&'a Server, Trouble)>,
}

/// What a server says about its role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whether it follows another server.
    pub(super) standby: bool,
    /// Whether transactions are read-only unless they say otherwise.
    pub(super) read_only: bool,
}

impl Standing {
    /// From what a server says when somebody logs in.
    pub(super) fn read<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Self {
        let is_on = |name| parameter(name) == Some("on");
        Self { standby: is_on("in_hot_standby"), read_only: is_on("default_transaction_read_only") }
    }
}

impl<'a> Tries<'a> {
    /// All servers of an access, in order; twice where a preference may fail.
    pub(super) fn of(access: &'a Access) -> Self {
        let all = |role| access.servers.iter().map(move |server| (server, role));
        let left = match access.role {
            Role::PreferStandby => all(Role::Standby).chain(all(Role::Any)).collect(),
            role => all(role).collect(),
        };
        Self { left, wanted: access.role, failed: Vec::new() }
    }

    /// The next server.
    pub(super) fn next(&mut self) -> Option<(&'a Server, Role)> {
        self.left.pop_front()
    }

    /// A server did not let us in.
    pub(super) fn failed(&mut self, server: &'a Server, trouble: Trouble) {
        self.failed.push((server, trouble));
    }

    /// What was wrong, if none would do. A refusal tells more than a server that is away.
    pub(super) fn into_trouble(mut self) -> Trouble {
        if self.failed.is_empty() {
            let what =
                format!("none of the servers has the role that is wanted ({:?})", self.wanted);
            return Trouble::Role(what);
        }
        let passing =
            |trouble: &Trouble| matches!(trouble, Trouble::Broken(_) | Trouble::Silent(_));
        let firm = self.failed.iter().position(|(_, trouble)| !passing(trouble));
        if firm.is_some() || self.failed.len() == 1 {
            return self.failed.swap_remove(firm.unwrap_or(0)).1;
        }
        let each = self.failed.iter().map(|(server, trouble)| format!("{server}: {trouble}"));
        Trouble::Silent(each.collect::<Vec<_>>().join("; "))
    }
}

/// Whether a server of this standing will do.
pub(super) fn will_do(role: Role, standing: Standing) -> bool {
    match role {
        Role::Any | Role::PreferStandby => true,
        Role::ReadWrite => !standing.standby && !standing.read_only,
        Role::ReadOnly => standing.standby || standing.read_only,
        Role::Primary => !standing.standby,
        Role::Standby => standing.standby,
    }
}

#[cfg(test)]
mod tests {
    use super::{Standing, Tries, will_do};
    use crate::postgres::access::{Access, Role};
    use crate::postgres::trouble::Trouble;
    use std::io;

    const PRIMARY: Standing = Standing { standby: false, read_only: false };
    const CLOSED: Standing = Standing { standby: false, read_only: true };
    const STANDBY: Standing = Standing { standby: true, read_only: false };

    #[test]
    fn a_server_will_do_by_its_role() {
        for (role, will) in [
            (Role::Any, [true, true, true]),
            (Role::ReadWrite, [true, false, false]),
            (Role::ReadOnly, [false, true, true]),
            (Role::Primary, [true, true, false]),
            (Role::Standby, [false, false, true]),
        ] {
            assert_eq!([PRIMARY, CLOSED, STANDBY].map(|it| will_do(role, it)), will, "{role:?}");
        }
    }

    #[test]
    fn a_preference_is_given_up_after_every_server() {
        let url = "postgres://a@one,two/x?target_session_attrs=prefer-standby";
        let access = Access::parse(url).unwrap();
        let mut tries = Tries::of(&access);
        let roles: Vec<Role> = std::iter::from_fn(|| tries.next()).map(|(_, role)| role).collect();
        assert_eq!(roles, [Role::Standby, Role::Standby, Role::Any, Role::Any]);
    }

    #[test]
    fn a_refusal_tells_more_than_a_server_that_is_away() {
        let access = Access::parse("postgres://a@one,two/x").unwrap();
        let mut tries = Tries::of(&access);
        assert!(matches!(Tries::of(&access).into_trouble(), Trouble::Role(_)));
        tries.failed(&access.servers[0], Trouble::Login("wrong".into()));
        tries.failed(&access.servers[1], io::Error::other("away").into());
        assert!(matches!(tries.into_trouble(), Trouble::Login(_)));
        let mut tries = Tries::of(&access);
        tries.failed(&access.servers[0], io::Error::other("away").into());
        tries.failed(&access.servers[1], io::Error::other("gone").into());
        let told = tries.into_trouble().to_string();
        assert!(told.contains("one:5432: ") && told.contains("two:5432: "), "{told}");
    }
}
