//! From changed files to a live snapshot.

use super::{Control, News, listed};
use crate::app::checks::Checks;
use crate::app::load::{Loaded, load, load_endpoints};
use crate::app::tell;
use crate::app::warming::{Asked, Stage, Warming};
use crate::cluster::Cluster;
use crate::health::merge::Merging;
use crate::serve::snapshot::Snapshot;
use crate::telemetry::messages::Level;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Control {
    /// Begins with what the files hold; if that cannot be used, the last good one goes on, and the reason is told.
    pub(super) fn reload(&mut self) {
        let loaded = load(&self.options.inputs);
        if self.watch.is_stale() {
            // What was read may be half old and half new; it is read again once it rests.
            return;
        }
        let before = self.warming.take();
        let loaded = loaded.and_then(|loaded| match self.watch.emptied(&loaded.filled) {
            emptied if emptied.is_empty() => Ok(loaded),
            emptied => Err(emptied),
        });
        let live = self.shared.snapshot.load().version.clone();
        let (loaded, refused) = match loaded {
            Ok(loaded) => (loaded, None),
            Err(findings) => {
                let told: Vec<_> = findings.iter().take(10).map(ToString::to_string).collect();
                let why = told.join("\n");
                // Endpoints are followed under the policies that are good: they come and go, whoever has mistyped a policy.
                let endpoints = self.endpoints().filter(|loaded| loaded.version != live);
                let is_known = **self.shared.refused.load() == Some(why.clone());
                if endpoints.is_none() || !is_known {
                    self.refuse(&why);
                }
                let Some(endpoints) = endpoints else { return };
                (endpoints, Some(why))
            }
        };
        if loaded.version == live {
            // What was refused, or was on its way, has been taken back.
            return self.shared.refused.store(Arc::default());
        }
        tell(&self.shared.telemetry.messages, &loaded.warnings);
        self.names.want(&loaded.config);
        self.warming = Some(Warming::new(loaded, refused, before.as_ref()));
        self.warm();
    }

    /// What there is with the endpoints as they are now; none if nothing can be made of these.
    fn endpoints(&self) -> Option<Loaded> {
        let loaded = load_endpoints(&self.options.inputs, self.watch.policies()).ok()?;
        self.watch.emptied(&loaded.filled).is_empty().then_some(loaded)
    }

    /// Takes the configuration that is on its way as far as it can go now.
    pub(super) fn warm(&mut self) {
        match self.warming.take() {
            Some(warming) => self.warmer(warming),
            None if std::mem::take(&mut self.rebuild_waits) => self.rebuild(),
            None => {}
        }
    }

    fn warmer(&mut self, mut warming: Warming) {
        if matches!(warming.stage, Stage::Names) && (self.names.are_known(&warming.config) || warming.is_due()) {
            let (version, config) = (warming.version.clone(), warming.config.clone());
            match self.registry.build(version, config, self.names.resolved()) {
                Ok(built) => {
                    let waiting =
                        Checks::ask_new(&built.snapshot, &self.shared.snapshot.load(), &self.teller(News::Check));
                    warming.stage = Stage::Checks(Box::new(Asked { built, waiting, found: Vec::new() }));
                }
                Err(error) => return self.refuse(&error.to_string()),
            }
        }
        let due = warming.is_due();
        match warming.stage {
            Stage::Checks(asked) if asked.waiting.is_empty() || due => match self.swap(*asked) {
                Ok(version) => {
                    self.watch.obeyed(warming.filled, warming.policies);
                    self.shared.refused.store(Arc::new(warming.refused));
                    self.shared.telemetry.messages.say(Level::Info, &format!("configuration {version} is live"));
                }
                Err(reason) => self.refuse(&reason),
            },
            _ => self.warming = Some(warming),
        }
    }

    /// The same configuration with names looked up anew.
    fn rebuild(&mut self) {
        let current = self.shared.snapshot.load_full();
        let built = self.registry.build(current.version.clone(), current.config.clone(), self.names.resolved());
        let swapped = built.map_err(|error| error.to_string()).and_then(|built| self.swap(Asked::nobody(built)));
        if let Err(reason) = swapped {
            self.complain(&reason);
        }
    }

    /// Makes a snapshot live; nothing has changed if that fails.
    fn swap(&mut self, asked: Asked) -> Result<String, String> {
        let Asked { built, found, .. } = asked;
        let orders = self.sockets.follow(&built.snapshot, self.sockets.workers()).map_err(|error| error.to_string())?;
        let snapshot = self.registry.commit(built);
        for found in found {
            if let Some((cluster, member)) = listed(&snapshot, &found.cluster, found.host) {
                self.checks.take(cluster, member, found, &mut self.rng);
                cluster.refresh();
            }
        }
        self.names.keep(&snapshot.config);
        let version = snapshot.version.clone();
        self.merging.values_mut().for_each(Merging::told);
        let before = self.shared.snapshot.load_full();
        let closing = closing(&before, &snapshot);
        let leaving = self.shared.leaving.load().after(&before, &snapshot, self.shared.patience);
        // Who misses its chain in the new configuration finds it among those that leave.
        let some_leave = leaving.is_some();
        leaving.into_iter().for_each(|leaving| self.shared.leaving.store(Arc::new(leaving)));
        // Who is told to listen finds its listener configured.
        self.shared.snapshot.store(Arc::new(snapshot));
        if some_leave {
            self.sockets.chains_leave();
        }
        closing.into_iter().for_each(|host| self.sockets.close(host));
        self.sockets.tell(orders);
        self.shared.reloads.fetch_add(1, Ordering::Relaxed);
        self.shared.bound.store(Arc::new(self.sockets.addresses(&self.shared.snapshot.load())));
        self.shared.telemetry.metrics.forget_unused();
        self.shared.telemetry.logs.forget_unused();
        Ok(version)
    }

    /// Lets go of chains that were answered for long enough after a reload had taken them away.
    pub(super) fn forget_left(&self) {
        let left = self.shared.leaving.load().left();
        if let Some(left) = left {
            self.shared.leaving.store(Arc::new(left));
            self.sockets.chains_leave();
        }
    }

    /// The files as they are now are not obeyed.
    fn refuse(&self, reason: &str) {
        self.complain(reason);
        self.shared.refused.store(Arc::new(Some(reason.to_owned())));
    }

    fn complain(&self, reason: &str) {
        let messages = &self.shared.telemetry.messages;
        for line in reason.lines() {
            messages.say(Level::Error, &format!("refused, the last good configuration goes on: {line}"));
        }
        self.shared.reloads_refused.fetch_add(1, Ordering::Relaxed);
    }
}

/// Endpoints whose connections are to be closed, since others have come to their cluster, or gone.
fn closing(before: &Snapshot, after: &Snapshot) -> Vec<u64> {
    let hosts =
        |cluster: &Arc<Cluster>| -> BTreeSet<u64> { cluster.members.iter().map(|member| member.host.id).collect() };
    let wanted = after.clusters.values().filter(|cluster| cluster.policy.close_on_change);
    let changed = wanted.filter_map(|cluster| {
        let (now, then) = (hosts(cluster), before.cluster(&cluster.name).map(hosts)?);
        (now != then).then_some(now)
    });
    changed.flatten().collect()
}
