//! Reports on their way out. Offers and answers are collected and told together, everything else at once.

use super::wire::{Answer, Offer, Report};
use std::cell::RefCell;
use std::io::{self, Write};
use std::time::Duration;

/// How long offers are collected.
const COLLECT: Duration = Duration::from_millis(50);

/// Writes reports.
pub(super) struct Reporter {
    out: RefCell<Box<dyn Write>>,
    offers: RefCell<Vec<Offer>>,
    answers: RefCell<Vec<Answer>>,
}

impl Reporter {
    /// A reporter that writes there, and tells what it has collected now and then.
    pub(super) fn new(out: impl Write + 'static) -> Self {
        Self { out: RefCell::new(Box::new(out)), offers: RefCell::default(), answers: RefCell::default() }
    }

    /// Tells what was collected, for as long as there are relays.
    pub(super) async fn tell_regularly(&self) {
        loop {
            tokio::time::sleep(COLLECT).await;
            if self.flush().is_err() {
                return;
            }
        }
    }

    pub(super) fn offer(&self, offer: Offer) {
        self.offers.borrow_mut().push(offer);
    }

    pub(super) fn answer(&self, answer: Answer) {
        self.answers.borrow_mut().push(answer);
    }

    /// Tells what was collected.
    pub(super) fn flush(&self) -> io::Result<()> {
        let (offers, answers) = (self.offers.take(), self.answers.take());
        if offers.is_empty() && answers.is_empty() { Ok(()) } else { self.say(&Report::Offers { offers, answers }) }
    }

    /// Tells one thing now.
    pub(super) fn say(&self, report: &Report) -> io::Result<()> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        let mut out = self.out.borrow_mut();
        out.write_all(&line)?;
        out.flush()
    }
}
