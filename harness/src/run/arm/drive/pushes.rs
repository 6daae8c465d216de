//! What phases apply: policies that are given to the proxies, and what these make of them.

use super::{Drive, Error};
use crate::run::arm::deployment::{self, Answer, Input};
use squall_proxy::policy::Healing;
use squall_reports::record::{EventKind, Witness};

impl Drive<'_, '_> {
    /// Gives the proxies what a phase applies. Where none may go on with its last good configuration, all are started anew.
    pub(super) async fn push(&mut self, phase: usize) -> Result<(), Error> {
        let name = &self.phases[phase].name;
        let Some(apply) = self.phases[phase].applied().next() else { return Ok(()) };
        let asked = self.deployment.proxies().await?;
        self.happened(EventKind::Pushed, name, Witness::Harness, format!("{} is applied", apply.what));
        let copies = self.deployment.write_policies(&apply.policies)?;
        if self.plan.without.contains(&Healing::LastGood) {
            for error in self.deployment.start_proxies_again(self.setting).await? {
                let why = error.lines().next().unwrap_or_default().trim_end_matches("; its log ends with:");
                self.happened(EventKind::Policy, name, Witness::Harness, format!("started anew: {why}"));
            }
            return Ok(());
        }
        let answer = self.deployment.answer(self.setting, asked, copies);
        let sender = self.deployment.sender.clone();
        tokio::task::spawn_local(async move {
            let _ = sender.send(Input::Answered(phase, answer.await));
        });
        Ok(())
    }

    /// The proxies have loaded what a phase applies, or refused it.
    pub(super) fn answered_push(
        &mut self,
        phase: usize,
        answer: Result<Answer, deployment::Error>,
    ) -> Result<(), Error> {
        let name = &self.phases[phase].name;
        let (kind, text) = match answer? {
            Answer::Loaded => (EventKind::Policy, "every proxy has loaded it".to_owned()),
            Answer::Refused(why) => {
                (EventKind::Refused, format!("refused, the last good configuration goes on: {why}"))
            }
            Answer::Divided(who, why) => (EventKind::Policy, format!("{who} alone refuses it: {why}")),
        };
        self.happened(kind, name, Witness::Proxy, text);
        Ok(())
    }
}
