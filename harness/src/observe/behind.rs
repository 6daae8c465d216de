//! What relays between an instance and the proxy beside it were offered, where a fault sits there.

use crate::shim::wire::{Fate, Offer};
use std::collections::HashMap;

/// Attempts that the proxy beside one instance sent to it.
#[derive(Debug, Default)]
pub(super) struct Behind {
    pub(super) offered: u64,
    pub(super) withheld: u64,
    pub(super) cut: u64,
    /// Requests that were kept from the instance, and by what, until their answer has passed in front of the proxy.
    kept: HashMap<u64, String>,
}

impl Behind {
    pub(super) fn offer(&mut self, offer: &Offer, kind: impl Fn(u32) -> String) {
        self.offered += 1;
        let withheld = match offer.fate {
            Fate::Relayed | Fate::Sidecar => None,
            Fate::Withheld(fault) => Some(kind(fault)),
            Fate::Unreachable => Some("unreachable".to_owned()),
            Fate::Cut => {
                self.cut += 1;
                None
            }
        };
        if let Some(kind) = withheld {
            self.withheld += 1;
            self.kept.extend(offer.request.map(|request| (request, kind)));
        }
    }

    /// An attempt has ended in front of the proxy: what kept it from the instance, if anything did.
    pub(super) fn ended(&mut self, request: Option<u64>) -> Option<String> {
        self.kept.remove(&request?)
    }
}
