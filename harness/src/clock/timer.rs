//! One timer for everything that must be on time: pacer, relays and test services share it.
//!
//! It sleeps on a timerfd with an absolute time. The runtime's own timer rounds to a millisecond and wakes later still.

use super::{Nanos, now};
use crate::descriptor;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

/// Sleeps of one thread, all on one timerfd. Lives inside a `LocalSet`; clones share it.
#[derive(Debug, Clone)]
pub struct Timer {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: AsyncFd<OwnedFd>,
    sleepers: RefCell<BinaryHeap<Reverse<Sleeper>>>,
    /// What the file is set to; the largest value when it is off.
    set_to: Cell<Nanos>,
    next: Cell<u64>,
}

#[derive(Debug)]
struct Sleeper {
    due: Nanos,
    number: u64,
    wake: oneshot::Sender<()>,
}

impl Timer {
    /// A timer for this thread.
    pub fn new() -> io::Result<Self> {
        let shared = Rc::new(Shared {
            file: descriptor::register(timer_file(TimerfdFlags::NONBLOCK)?)?,
            sleepers: RefCell::default(),
            set_to: Cell::new(Nanos(u64::MAX)),
            next: Cell::new(0),
        });
        tokio::task::spawn_local(wake_sleepers(Rc::downgrade(&shared)));
        Ok(Self { shared })
    }

    /// Returns at `due`, or at once if that is past. Dropping the future forgets the sleep.
    pub async fn sleep_until(&self, due: Nanos) {
        if due <= now() {
            return;
        }
        let (wake, woken) = oneshot::channel();
        let number = self.shared.next.get();
        self.shared.next.set(number + 1);
        self.shared.sleepers.borrow_mut().push(Reverse(Sleeper { due, number, wake }));
        if due < self.shared.set_to.get() {
            self.shared.set(due);
        }
        // The waker lives as long as this timer does, which we hold.
        let _ = woken.await;
    }

    /// Returns after `delay`.
    pub async fn sleep(&self, delay: Duration) {
        self.sleep_until(now().after(delay)).await;
    }
}

impl Shared {
    fn set(&self, due: Nanos) {
        self.set_to.set(due);
        // Setting a timer that exists to a time in range cannot fail.
        let _ = set(self.file.get_ref(), due);
    }

    fn wake_due(&self) {
        let mut sleepers = self.sleepers.borrow_mut();
        while sleepers.peek().is_some_and(|Reverse(sleeper)| sleeper.due <= now()) {
            if let Some(Reverse(sleeper)) = sleepers.pop() {
                let _ = sleeper.wake.send(());
            }
        }
        // Sleeps that were given up need no wake-up.
        while sleepers.peek().is_some_and(|Reverse(sleeper)| sleeper.wake.is_closed()) {
            sleepers.pop();
        }
        match sleepers.peek() {
            Some(Reverse(next)) => self.set(next.due),
            None => self.set_to.set(Nanos(u64::MAX)),
        }
    }
}

async fn wake_sleepers(shared: std::rc::Weak<Shared>) {
    loop {
        let Some(strong) = shared.upgrade() else { return };
        let Ok(mut ready) = strong.file.readable().await else { return };
        // The count of expirations is of no use: what is due is looked up by the clock.
        let _ = wait(strong.file.get_ref());
        ready.clear_ready();
        drop(ready);
        strong.wake_due();
    }
}

impl PartialEq for Sleeper {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Sleeper {}

impl PartialOrd for Sleeper {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Sleeper {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

fn timer_file(flags: TimerfdFlags) -> io::Result<OwnedFd> {
    Ok(timerfd_create(TimerfdClockId::Monotonic, flags | TimerfdFlags::CLOEXEC)?)
}

fn set(file: &OwnedFd, due: Nanos) -> io::Result<()> {
    // All zeroes would switch the timer off.
    let due = due.0.max(1);
    let it_value = Timespec { tv_sec: (due / 1_000_000_000) as i64, tv_nsec: (due % 1_000_000_000) as i64 };
    let never_again = Timespec { tv_sec: 0, tv_nsec: 0 };
    timerfd_settime(file, TimerfdTimerFlags::ABSTIME, &Itimerspec { it_interval: never_again, it_value })?;
    Ok(())
}

/// Reads the count of expirations, which must be done before the file can wake again.
fn wait(file: &OwnedFd) -> io::Result<()> {
    rustix::io::read(file, &mut [0; 8])?;
    Ok(())
}

/// How late a thread that does nothing else is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lag {
    /// Median.
    pub p50: Duration,
    /// 99th percentile.
    pub p99: Duration,
}

/// Measures how late a bare timer loop wakes on this thread just now: the floor under every figure of ours.
pub fn bare_timer_lag(rounds: u32, period: Duration) -> io::Result<Lag> {
    let file = timer_file(TimerfdFlags::empty())?;
    let mut due = now().after(period);
    let mut lags = Vec::with_capacity(rounds as usize);
    for _ in 0..rounds {
        set(&file, due)?;
        wait(&file)?;
        lags.push(now().since(due));
        due = due.after(period).max(now());
    }
    lags.sort_unstable();
    let rank = |quantile: f64| lags[((lags.len() as f64 * quantile) as usize).min(lags.len() - 1)];
    Ok(if lags.is_empty() {
        Lag { p50: Duration::ZERO, p99: Duration::ZERO }
    } else {
        Lag { p50: rank(0.5), p99: rank(0.99) }
    })
}

/// Lets the kernel wake this thread to the nanosecond instead of the usual 50 microseconds.
pub fn precise_thread() -> io::Result<()> {
    Ok(nix::sys::prctl::set_timerslack(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::task::LocalSet;

    fn run<T>(body: impl AsyncFnOnce(Timer) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async { body(Timer::new().unwrap()).await })
    }

    #[test]
    fn sleepers_wake_in_order_of_their_time_and_never_early() {
        let order = run(async |timer| {
            let begin = now();
            let order = Rc::new(RefCell::new(Vec::new()));
            let tasks: Vec<_> = [30_u64, 10, 20, 10]
                .into_iter()
                .map(|millis| {
                    let (timer, order) = (timer.clone(), Rc::clone(&order));
                    tokio::task::spawn_local(async move {
                        let due = begin.after(Duration::from_millis(millis));
                        timer.sleep_until(due).await;
                        assert!(now() >= due);
                        order.borrow_mut().push(millis);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            order.take()
        });
        assert_eq!(order, [10, 10, 20, 30]);
    }

    #[test]
    fn a_sleep_that_is_given_up_disturbs_no_other() {
        run(async |timer| {
            let long = timer.sleep(Duration::from_secs(3600));
            tokio::select! {
                () = long => panic!("slept an hour"),
                () = timer.sleep(Duration::from_millis(5)) => {}
            }
            timer.sleep(Duration::from_millis(5)).await;
            timer.sleep_until(Nanos(0)).await;
        });
    }

    #[test]
    fn a_bare_loop_is_measured() {
        let lag = bare_timer_lag(50, Duration::from_micros(200)).unwrap();
        assert!(lag.p50 <= lag.p99);
    }
}
