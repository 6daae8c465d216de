//! Leaving everything up for a look.

use crate::run::stop::Stop;
use tokio::sync::oneshot;

/// Says where everything listens and waits for Enter or the end of standard input; Ctrl-C aborts. Relays and their lease go on meanwhile, the timeline and the probes do not.
pub(super) async fn look(addresses: &str, mut stop: Stop) {
    anstream::eprintln!("{addresses}everything is up; press Enter to end it");
    let (entered, enter) = oneshot::channel();
    // Nothing can wake a thread that reads a terminal; it ends with the process.
    let reader = std::thread::Builder::new().name("enter".to_owned()).spawn(move || {
        // An input that is closed is an answer too.
        let _ = std::io::stdin().read_line(&mut String::new());
        let _ = entered.send(());
    });
    if reader.is_err() {
        return;
    }
    tokio::select! {
        _ = enter => {}
        _ = stop.changed() => {}
    }
}
