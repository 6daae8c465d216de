//! Time-outs of requests, which hardly ever run out.

use crate::clock::now;
use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::time::{Sleep, sleep_until};

/// Timers that are kept for whoever comes next, at most.
const MOST: usize = 256;

/// A worker's timers for what is nearly always over in time.
///
/// Setting a timer and taking it back costs more than all else that a time-out does. So timers that are no longer waited for stay set, and
/// whoever waits next takes one of them as it is: only one that goes off too early is set anew, and one that would be too late.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    spare: RefCell<Vec<Pin<Box<Sleep>>>>,
}

impl Alarms {
    /// Returns at a moment, or never.
    pub(super) async fn until(&self, moment: Option<Instant>) {
        let Some(moment) = moment else { return std::future::pending().await };
        let spare = self.spare.borrow_mut().pop();
        let sleep = spare.unwrap_or_else(|| Box::pin(sleep_until(moment.into())));
        let mut alarm = Alarm { alarms: self, sleep: Some(sleep) };
        poll_fn(|context| alarm.poll(context, moment)).await;
    }

    /// What a future gives within a time; none if that is over first.
    pub(super) async fn within<T>(&self, limit: Option<Duration>, future: impl Future<Output = T>) -> Option<T> {
        let over = limit.and_then(|limit| now().checked_add(limit));
        tokio::select! {
            biased;
            given = future => Some(given),
            () = self.until(over) => None,
        }
    }
}

/// A timer while somebody waits for it.
struct Alarm<'a> {
    alarms: &'a Alarms,
    /// Nothing once it was given back.
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm<'_> {
    /// Ready at the moment.
    fn poll(&mut self, context: &mut Context<'_>, moment: Instant) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else { return Poll::Ready(()) };
        let moment = moment.into();
        if sleep.deadline() > moment {
            sleep.as_mut().reset(moment);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() == moment {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(moment);
        }
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        let mut spare = self.alarms.spare.borrow_mut();
        if spare.len() < MOST {
            spare.extend(self.sleep.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::Waker;

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(3_600);

    fn spare(alarms: &Alarms) -> Vec<Instant> {
        alarms.spare.borrow().iter().map(|sleep| sleep.deadline().into_std()).collect()
    }

    /// Waits for a moment, and gives it up at once.
    fn give_up(alarms: &Alarms, moment: Instant) {
        let mut waiting = pin!(alarms.until(Some(moment)));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }

    #[tokio::test]
    async fn nobody_is_told_too_early_or_never_whatever_the_timer_was_set_to_before() {
        for before in [SHORT / 2, SHORT, 2 * SHORT, LONG] {
            let (alarms, begun) = (Alarms::default(), now());
            give_up(&alarms, begun + before);
            alarms.until(Some(begun + 3 * SHORT / 2)).await;
            assert!(begun.elapsed() >= 3 * SHORT / 2, "set to {before:?} before");
        }
    }

    #[tokio::test]
    async fn a_timer_that_is_given_up_stays_set_for_the_next() {
        let (alarms, begun) = (Alarms::default(), now());
        give_up(&alarms, begun + LONG);
        give_up(&alarms, begun + 2 * LONG);
        assert_eq!(spare(&alarms), [begun + LONG]);
        give_up(&alarms, begun + LONG / 2);
        assert_eq!(spare(&alarms), [begun + LONG / 2]);
    }

    #[tokio::test]
    async fn one_that_has_gone_off_serves_again() {
        let alarms = Alarms::default();
        for _ in 0..3 {
            let begun = now();
            alarms.until(Some(begun + SHORT)).await;
            assert!(begun.elapsed() >= SHORT);
        }
        assert_eq!(spare(&alarms).len(), 1);
    }

    #[tokio::test]
    async fn no_more_are_kept_than_may_be() {
        let (alarms, moment) = (Alarms::default(), now() + LONG);
        let mut waiting: Vec<_> = (0..2 * MOST).map(|_| Box::pin(alarms.until(Some(moment)))).collect();
        for waiting in &mut waiting {
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(waiting);
        assert_eq!(spare(&alarms).len(), MOST);
    }

    #[tokio::test]
    async fn what_comes_in_time_is_given_and_what_does_not_is_not() {
        let alarms = Alarms::default();
        assert_eq!(alarms.within(None, async { 7 }).await, Some(7));
        assert_eq!(alarms.within(Some(LONG), async { 7 }).await, Some(7));
        assert_eq!(alarms.within(Some(SHORT), std::future::pending::<u8>()).await, None);
        assert_eq!(alarms.within(Some(Duration::MAX), async { 7 }).await, Some(7));
    }
}
