//! Every text of a record that people wrote or programs said: all that may hold a secret.

use super::{Arm, Event, Expectation, FaultSpan, Reason, Record};

impl Record {
    /// Changes each text. Names that other parts of the record refer to (phases, flows, instances) are no texts.
    pub fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.reasons.iter_mut().for_each(|reason| reason.change_texts(change));
        self.dirty.iter_mut().for_each(&mut *change);
        self.expectations.iter_mut().for_each(|expectation| expectation.change_texts(change));
        let scenario = &mut self.scenario;
        change(&mut scenario.title);
        scenario.about.iter_mut().for_each(&mut *change);
        scenario.tags.iter_mut().for_each(&mut *change);
        scenario.set.iter_mut().for_each(&mut *change);
        change(&mut scenario.source);
        scenario.policies.iter_mut().for_each(|policy| change(&mut policy.text));
        scenario.unsupported.iter_mut().for_each(&mut *change);
        self.run.command.iter_mut().for_each(&mut *change);
        self.arms.iter_mut().for_each(|arm| arm.change_texts(change));
        let steps = self.searches.iter_mut().flat_map(|search| &mut search.steps);
        steps.filter_map(|step| step.why.as_mut()).for_each(&mut *change);
    }
}

impl Arm {
    /// Changes each text.
    pub fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        self.reasons.iter_mut().for_each(|reason| reason.change_texts(change));
        self.expectations.iter_mut().for_each(|expectation| expectation.change_texts(change));
        self.faults.iter_mut().for_each(|fault| fault.change_texts(change));
        self.events.iter_mut().for_each(|event| event.change_texts(change));
        self.said.iter_mut().for_each(|said| change(&mut said.reason));
        self.truth.disagreements.iter_mut().for_each(change);
    }
}

impl Reason {
    fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(&mut self.text);
    }
}

impl Expectation {
    fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(&mut self.written);
        change(&mut self.detail);
    }
}

impl Event {
    /// Changes each text.
    pub fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(&mut self.text);
    }
}

impl FaultSpan {
    /// Changes each text.
    pub fn change_texts(&mut self, change: &mut dyn FnMut(&mut String)) {
        change(&mut self.what);
    }
}
