//! The proxies that there are, each a relay with its toxics.

use super::toxic::{self, Toxic, Wish};
use crate::control::relays::{RelayError, Relays};
use crate::scenario;
use crate::shim::wire::{Door, Relay};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::sync::Mutex;

/// A proxy that is asked for: one entry of a configuration file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    pub(super) name: String,
    listen: String,
    pub(super) upstream: String,
    enabled: Option<bool>,
}

/// What of a proxy is to be changed.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Change {
    listen: Option<String>,
    upstream: Option<String>,
    enabled: Option<bool>,
}

/// A proxy as its clients read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Shown {
    name: String,
    listen: String,
    upstream: String,
    enabled: bool,
    pub(super) toxics: Vec<Toxic>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("proxy not found")]
    NoProxy,
    #[error("proxy already exists")]
    ProxyExists,
    #[error("toxic not found")]
    NoToxic,
    #[error("toxic already exists")]
    ToxicExists,
    #[error("missing required field: {0}")]
    Missing(String),
    #[error("bad request body: {0}")]
    Body(String),
    #[error(transparent)]
    Toxic(#[from] toxic::Error),
    #[error(transparent)]
    Relay(#[from] RelayError),
}

/// All proxies, by their names. Changes are made one after another.
pub(super) struct Proxies {
    relays: Relays,
    allow: Vec<String>,
    all: Mutex<BTreeMap<String, Proxy>>,
    /// Faults that there have been.
    faults: Cell<u32>,
}

struct Proxy {
    listen: SocketAddr,
    /// As it was written, and where it leads.
    upstream: String,
    to: SocketAddr,
    enabled: bool,
    relay: usize,
    /// Each with the fault that it is.
    toxics: Vec<(u32, Toxic)>,
}

impl Proxy {
    fn shown(&self, name: &str) -> Shown {
        Shown {
            name: name.to_owned(),
            listen: self.listen.to_string(),
            upstream: self.upstream.clone(),
            enabled: self.enabled,
            toxics: self.toxics.iter().map(|(_, toxic)| toxic.clone()).collect(),
        }
    }

    fn place(&self, toxic: &str) -> Result<usize, Error> {
        self.toxics.iter().position(|(_, one)| one.name == toxic).ok_or(Error::NoToxic)
    }
}

impl Proxies {
    pub(super) fn new(relays: Relays, allow: Vec<String>) -> Self {
        Self { relays, allow, all: Mutex::default(), faults: Cell::new(0) }
    }

    pub(super) async fn list(&self) -> BTreeMap<String, Shown> {
        self.all.lock().await.iter().map(|(name, proxy)| (name.clone(), proxy.shown(name))).collect()
    }

    pub(super) async fn show(&self, name: &str) -> Result<Shown, Error> {
        self.all.lock().await.get(name).map(|proxy| proxy.shown(name)).ok_or(Error::NoProxy)
    }

    pub(super) async fn create(&self, wanted: Wanted) -> Result<Shown, Error> {
        if self.all.lock().await.contains_key(&wanted.name) {
            return Err(Error::ProxyExists);
        }
        self.add(wanted, "").await
    }

    /// Adds those that are not there, and replaces those that lead elsewhere.
    pub(super) async fn populate(&self, wanted: Vec<Wanted>) -> Result<Vec<Shown>, Error> {
        for (number, one) in (1..).zip(&wanted) {
            check(one, &format!(" at proxy {number}"))?;
        }
        let mut shown = Vec::new();
        for one in wanted {
            let known = self.all.lock().await.get(&one.name).map(|proxy| {
                let same = proxy.upstream == one.upstream && address(&one.listen).ok() == Some(proxy.listen);
                (same, proxy.shown(&one.name))
            });
            shown.push(match known {
                Some((true, known)) => known,
                Some((false, known)) => {
                    self.delete(&known.name).await?;
                    self.add(one, "").await?
                }
                None => self.add(one, "").await?,
            });
        }
        Ok(shown)
    }

    async fn add(&self, wanted: Wanted, which: &str) -> Result<Shown, Error> {
        check(&wanted, which)?;
        let listen = address(&wanted.listen).map_err(Error::Body)?;
        let to = self.resolve(&wanted.upstream).await?;
        self.may_listen(listen)?;
        let mut all = self.all.lock().await;
        let (relay, listen) = self.relay(&wanted.name, listen, to).await?;
        let enabled = wanted.enabled.unwrap_or(true);
        if !enabled {
            self.relays.down(relay).await?;
        }
        let proxy = Proxy { listen, upstream: wanted.upstream, to, enabled, relay, toxics: Vec::new() };
        let shown = proxy.shown(&wanted.name);
        all.insert(wanted.name, proxy);
        Ok(shown)
    }

    async fn relay(&self, name: &str, listen: SocketAddr, to: SocketAddr) -> Result<(usize, SocketAddr), Error> {
        let door = Door { listen: Some(listen), to: Some(to), tcp: true };
        let (relay, at) = self.relays.add(Relay { name: name.to_owned(), doors: vec![door], sidecar: false }).await?;
        Ok((relay, at.first().copied().unwrap_or(listen)))
    }

    pub(super) async fn change(&self, name: &str, change: Change) -> Result<Shown, Error> {
        let to = match &change.upstream {
            Some(upstream) => Some(self.resolve(upstream).await?),
            None => None,
        };
        let listen = change.listen.as_deref().map(address).transpose().map_err(Error::Body)?;
        listen.map_or(Ok(()), |listen| self.may_listen(listen))?;
        let mut all = self.all.lock().await;
        let proxy = all.get_mut(name).ok_or(Error::NoProxy)?;
        if listen.is_some_and(|listen| listen != proxy.listen) || to.is_some_and(|to| to != proxy.to) {
            self.relays.remove(proxy.relay).await?;
            proxy.to = to.unwrap_or(proxy.to);
            (proxy.relay, proxy.listen) = self.relay(name, listen.unwrap_or(proxy.listen), proxy.to).await?;
            proxy.upstream = change.upstream.unwrap_or_else(|| proxy.upstream.clone());
            if !proxy.enabled {
                self.relays.down(proxy.relay).await?;
            }
            for (fault, toxic) in &proxy.toxics {
                self.relays.inject(*fault, proxy.relay, toxic.fault()).await?;
            }
        }
        self.enable(proxy, change.enabled.unwrap_or(proxy.enabled)).await?;
        Ok(proxy.shown(name))
    }

    async fn enable(&self, proxy: &mut Proxy, enabled: bool) -> Result<(), Error> {
        match (proxy.enabled, enabled) {
            (false, true) => self.relays.up(proxy.relay, vec![proxy.to]).await?,
            (true, false) => self.relays.down(proxy.relay).await?,
            _ => return Ok(()),
        };
        proxy.enabled = enabled;
        Ok(())
    }

    pub(super) async fn delete(&self, name: &str) -> Result<(), Error> {
        let mut all = self.all.lock().await;
        let relay = all.get(name).ok_or(Error::NoProxy)?.relay;
        self.relays.remove(relay).await?;
        all.remove(name);
        Ok(())
    }

    /// Enables every proxy, and takes every toxic away.
    pub(super) async fn reset(&self) -> Result<(), Error> {
        for proxy in self.all.lock().await.values_mut() {
            while let Some((fault, _)) = proxy.toxics.last() {
                self.relays.clear(*fault).await?;
                proxy.toxics.pop();
            }
            self.enable(proxy, true).await?;
        }
        Ok(())
    }

    pub(super) async fn toxic(&self, proxy: &str, toxic: &str) -> Result<Toxic, Error> {
        let all = self.all.lock().await;
        let proxy = all.get(proxy).ok_or(Error::NoProxy)?;
        Ok(proxy.toxics[proxy.place(toxic)?].1.clone())
    }

    pub(super) async fn add_toxic(&self, proxy: &str, wish: Wish) -> Result<Toxic, Error> {
        let mut all = self.all.lock().await;
        let proxy = all.get_mut(proxy).ok_or(Error::NoProxy)?;
        let toxic = Toxic::new(wish)?;
        if proxy.place(&toxic.name).is_ok() {
            return Err(Error::ToxicExists);
        }
        let fault = self.next_fault();
        self.relays.inject(fault, proxy.relay, toxic.fault()).await?;
        proxy.toxics.push((fault, toxic.clone()));
        Ok(toxic)
    }

    pub(super) async fn change_toxic(&self, proxy: &str, toxic: &str, wish: Wish) -> Result<Toxic, Error> {
        let mut all = self.all.lock().await;
        let proxy = all.get_mut(proxy).ok_or(Error::NoProxy)?;
        let place = proxy.place(toxic)?;
        let (old, changed) = (proxy.toxics[place].0, proxy.toxics[place].1.changed(wish)?);
        let fault = self.next_fault();
        self.relays.clear(old).await?;
        self.relays.inject(fault, proxy.relay, changed.fault()).await?;
        proxy.toxics[place] = (fault, changed.clone());
        Ok(changed)
    }

    pub(super) async fn delete_toxic(&self, proxy: &str, toxic: &str) -> Result<(), Error> {
        let mut all = self.all.lock().await;
        let proxy = all.get_mut(proxy).ok_or(Error::NoProxy)?;
        let place = proxy.place(toxic)?;
        self.relays.clear(proxy.toxics[place].0).await?;
        proxy.toxics.remove(place);
        Ok(())
    }

    fn next_fault(&self) -> u32 {
        self.faults.set(self.faults.get() + 1);
        self.faults.get()
    }

    /// Where an upstream is. Names are asked for elsewhere: whoever waits here would not renew the relays' lease.
    async fn resolve(&self, upstream: &str) -> Result<SocketAddr, Error> {
        let (upstream, allow) = (upstream.to_owned(), self.allow.clone());
        let resolved = tokio::task::spawn_blocking(move || scenario::address(&upstream, &allow)).await;
        let resolved = resolved.map_err(|error| Error::Body(error.to_string()))?;
        resolved.map_err(|findings| {
            let said = findings.into_iter().map(|finding| finding.message);
            Error::Body(said.collect::<Vec<_>>().join("; "))
        })
    }

    fn may_listen(&self, listen: SocketAddr) -> Result<(), Error> {
        let allowed = self.allow.iter().any(|one| one.parse() == Ok(listen.ip()));
        if listen.ip().is_loopback() || allowed {
            Ok(())
        } else {
            let why = format!(
                "{listen} is not on loopback: anybody could connect; if that is meant, --allow {}",
                listen.ip()
            );
            Err(Error::Body(why))
        }
    }
}

fn check(wanted: &Wanted, which: &str) -> Result<(), Error> {
    for (field, value) in [("name", &wanted.name), ("upstream", &wanted.upstream)] {
        if value.is_empty() {
            return Err(Error::Missing(format!("{field}{which}")));
        }
    }
    Ok(())
}

/// Where a proxy listens: `localhost:26379`, `127.0.0.1:0`; `:26379` and nothing at all mean loopback here.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text = match text {
        "" => "127.0.0.1:0".to_owned(),
        port if port.starts_with(':') => format!("127.0.0.1{port}"),
        // Names of the machine itself need no asking.
        host => host.replacen("localhost:", "127.0.0.1:", 1),
    };
    let mut found = text.to_socket_addrs().map_err(|error| format!("{text}: {error}"))?;
    found.next().ok_or_else(|| format!("{text} has no address"))
}
