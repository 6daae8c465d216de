//! How a request ended, as a number.

use crate::telemetry::metrics::sample::pair;
use crate::telemetry::{Flags, StreamInfo, grpc};

/// How safe the client's connection was; only the side of the service knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Security {
    /// Not known: the caller's side.
    Unknown,
    /// Both sides showed a certificate.
    MutualTls,
    /// They did not.
    None,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    status: u16,
    grpc: Grpc,
    security: Security,
    flags: Flags,
}

/// Whether it was gRPC, and how that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grpc {
    Not,
    Unfinished,
    /// Below 32; statuses end at 16.
    Status(u8),
}

const STATUS_BITS: u32 = 10;
const GRPC_BITS: u32 = 6;
const SECURITY_BITS: u32 = 2;
/// Keys must leave the greatest number alone.
const _: () = assert!(STATUS_BITS + GRPC_BITS + SECURITY_BITS + Flags::BITS < u64::BITS);

impl Key {
    /// Of a request; status 0 is one whose client went away.
    pub(super) fn of(info: &StreamInfo<'_>, security: Security) -> Self {
        let grpc = match info.grpc_status() {
            Some(status) => Grpc::Status(u8::try_from(status.min(31)).unwrap_or(31)),
            None if grpc::is_request(info.request) => Grpc::Unfinished,
            None => Grpc::Not,
        };
        Self { status: info.status.unwrap_or(0), grpc, security, flags: info.flags }
    }

    /// As a number.
    pub(super) fn number(self) -> u64 {
        let grpc = match self.grpc {
            Grpc::Not => 0,
            Grpc::Unfinished => 1,
            Grpc::Status(status) => 32 | u64::from(status & 31),
        };
        let security = match self.security {
            Security::Unknown => 0,
            Security::MutualTls => 1,
            Security::None => 2,
        };
        let status = u64::from(self.status.min((1 << STATUS_BITS) - 1));
        let mut number = self.flags.bits();
        for (bits, value) in [(SECURITY_BITS, security), (GRPC_BITS, grpc), (STATUS_BITS, status)] {
            number = number << bits | value;
        }
        number
    }

    fn from_number(number: u64) -> Self {
        let status = number & ((1 << STATUS_BITS) - 1);
        let grpc = number >> STATUS_BITS & ((1 << GRPC_BITS) - 1);
        let security = number >> (STATUS_BITS + GRPC_BITS) & ((1 << SECURITY_BITS) - 1);
        Self {
            status: status as u16,
            grpc: match grpc {
                0 => Grpc::Not,
                1 => Grpc::Unfinished,
                status => Grpc::Status(status as u8 & 31),
            },
            security: match security {
                0 => Security::Unknown,
                1 => Security::MutualTls,
                _ => Security::None,
            },
            flags: Flags::from_bits(number >> (STATUS_BITS + GRPC_BITS + SECURITY_BITS)),
        }
    }

    /// The labels of a number; none is all that did not fit.
    pub(super) fn labels(number: Option<u64>) -> String {
        let texts = match number.map(Self::from_number) {
            Some(key) => [
                if key.grpc == Grpc::Not { "http".to_owned() } else { "grpc".to_owned() },
                key.status.to_string(),
                if let Grpc::Status(status) = key.grpc { status.to_string() } else { String::new() },
                key.flags.to_string(),
                key.security.text().to_owned(),
            ],
            None => std::array::from_fn(|_| "other".to_owned()),
        };
        let names = [
            "request_protocol",
            "response_code",
            "grpc_response_status",
            "response_flags",
            "connection_security_policy",
        ];
        let pairs: Vec<_> = names.into_iter().zip(&texts).map(|(name, text)| pair(name, text)).collect();
        pairs.join(",")
    }
}

impl Security {
    /// As a label has it.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::MutualTls => "mutual_tls",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Flag;

    #[test]
    fn a_way_to_end_survives_being_a_number() {
        let flags = Flags::from(Flag::RetryLimit).with(Flag::DownstreamReset);
        for status in [0, 200, 503, 999] {
            for grpc in [Grpc::Not, Grpc::Unfinished, Grpc::Status(0), Grpc::Status(16)] {
                for security in [Security::Unknown, Security::MutualTls, Security::None] {
                    for flags in [Flags::NONE, flags] {
                        let key = Key { status, grpc, security, flags };
                        assert_eq!(Key::from_number(key.number()), key);
                    }
                }
            }
        }
    }

    #[test]
    fn a_label_that_is_not_known_is_empty_unknown_or_a_dash_and_the_rest_is_other() {
        let key = Key { status: 0, grpc: Grpc::Not, security: Security::Unknown, flags: Flags::NONE };
        let expected = concat!(
            "request_protocol=\"http\",response_code=\"0\",grpc_response_status=\"\",response_flags=\"-\",",
            "connection_security_policy=\"unknown\"",
        );
        assert_eq!(Key::labels(Some(key.number())), expected);
        assert!(Key::labels(None).contains("response_code=\"other\""));
    }
}
