//! Other policies for proxies that run: written where they look, and what they make of them.

use super::{Deployment, Error, LOADING, reading, road};
use crate::clock::now;
use crate::deploy::ready;
use crate::run::arm::Setting;
use crate::scenario::resolved::PolicySource;
use serde::Deserialize;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How often a proxy is asked what it has made of its policies.
const ASK: Duration = Duration::from_millis(10);

/// A proxy, and how much it had refused before something was pushed.
pub(in crate::run::arm) struct Asked {
    name: String,
    admin: SocketAddr,
    refusals: u64,
}

/// Files that proxies read, each with the user's own that it is a copy of.
pub(in crate::run::arm) struct Copies(Vec<(PathBuf, PathBuf)>);

impl Copies {
    /// What a proxy says, with the names that the user knows.
    fn in_own_words(&self, said: &str) -> String {
        let named = |said: String, (copy, own): &(PathBuf, PathBuf)| {
            said.replace(&copy.display().to_string(), &own.display().to_string())
        };
        self.0.iter().fold(said.to_owned(), named)
    }
}

/// What the proxies have made of a push.
#[derive(Debug)]
pub(in crate::run::arm) enum Answer {
    /// All go by it.
    Loaded,
    /// All go on with what they had: the first's reason.
    Refused(String),
    /// Some do the one, some the other: the first that refused it, and why.
    Divided(String, String),
}

/// What a proxy tells of its configuration.
#[derive(Deserialize)]
struct Told {
    version: String,
    refused: Option<String>,
    refusals: u64,
}

impl Deployment {
    /// All proxies, and what they have refused so far.
    pub(in crate::run::arm) async fn proxies(&self) -> Result<Vec<Asked>, Error> {
        let beside = self.instances.iter().filter_map(|instance| instance.sidecar.as_ref()?.proxy());
        let mut asked = Vec::new();
        for proxy in self.living_proxy().into_iter().chain(beside) {
            let refusals = told(proxy.admin).await.map_or(0, |told| told.refusals);
            asked.push(Asked { name: proxy.process.name.clone(), admin: proxy.admin, refusals });
        }
        Ok(asked)
    }

    /// Writes other policies in the place of those that there are.
    pub(in crate::run::arm) fn write_policies(&self, policies: &[PolicySource]) -> Result<Copies, Error> {
        Ok(Copies(road::copy(&self.files.policies, policies)?))
    }

    /// Returns once every proxy has loaded or refused what is written now. It borrows nothing, so that an arm can go on meanwhile.
    pub(in crate::run::arm) fn answer(
        &self,
        setting: &Setting<'_>,
        asked: Vec<Asked>,
        copies: Copies,
    ) -> impl Future<Output = Result<Answer, Error>> + 'static {
        // What cannot be read at all has no version that anybody could load.
        let wanted = self.files.version(&reading(setting)).ok();
        async move {
            let begin = now();
            let (mut loaded, mut refused) = (0, Vec::new());
            for proxy in &asked {
                loop {
                    match told(proxy.admin).await {
                        Ok(told) if Some(&told.version) == wanted.as_ref() => {
                            loaded += 1;
                            break;
                        }
                        Ok(told) if told.refusals > proxy.refusals => {
                            let why = told.refused.unwrap_or_default();
                            refused.push((proxy.name.clone(), copies.in_own_words(&why)));
                            break;
                        }
                        // One in its place begins with what is written.
                        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => break,
                        _ if now().since(begin) > LOADING => return Err(Error::NotLoaded),
                        _ => tokio::time::sleep(ASK).await,
                    }
                }
            }
            Ok(match (loaded, refused.into_iter().next()) {
                (_, None) => Answer::Loaded,
                (0, Some((_, why))) => Answer::Refused(why),
                (_, Some((name, why))) => Answer::Divided(name, why),
            })
        }
    }

    /// Ends all proxies and starts them again with what is written now, where they were; tells of those that do not start, which are gone.
    pub(in crate::run::arm) async fn start_proxies_again(
        &mut self,
        setting: &Setting<'_>,
    ) -> Result<Vec<String>, Error> {
        let mut failed = Vec::new();
        if let Some(proxy) = &mut self.proxy {
            failed.extend(proxy.start_again(setting).await.err().map(|error| error.to_string()));
            self.watch_proxy();
        }
        for index in 0..self.instances.len() {
            let Some(sidecar) = &mut self.instances[index].sidecar else { continue };
            sidecar.kill().await;
            self.refuse(index).await?;
            match self.instances[index].launch_sidecar(setting) {
                Ok(()) => {
                    self.watch_sidecar(index);
                    self.admit(index).await?;
                }
                Err(error) => failed.push(error.to_string()),
            }
        }
        Ok(failed)
    }
}

async fn told(admin: SocketAddr) -> io::Result<Told> {
    let (_, body) = ready::get(admin, "/config_dump", Duration::from_secs(1)).await?;
    Ok(serde_json::from_slice(&body)?)
}
