//! Numbers of foreign formats, each with the range that its format allows.

use serde::de::{Deserialize, Deserializer, Error};

/// A port: 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port(pub(super) u16);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        let port = u16::try_from(number).ok().filter(|port| *port > 0);
        port.map(Self).ok_or_else(|| D::Error::custom(format_args!("{number} is no port: 1 to 65535")))
    }
}

/// A count that is not below 0. In Istio, 0 is as if it were not written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(count) if i32::try_from(count).is_ok() => Ok(Self(count)),
            _ => Err(D::Error::custom(format_args!("{number} is no count: 0 to {}", i32::MAX))),
        }
    }
}

impl Count {
    /// The count, unless it is 0.
    pub(super) fn set(self) -> Option<u32> {
        Some(self.0).filter(|count| *count > 0)
    }
}

/// A whole percentage: 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WholePercent(pub(super) u32);

impl<'de> Deserialize<'de> for WholePercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(deserializer)?;
        match u32::try_from(number) {
            Ok(percent) if percent <= 100 => Ok(Self(percent)),
            _ => Err(D::Error::custom(format_args!("{number} is no percentage: 0 to 100"))),
        }
    }
}

/// A percentage: 0 to 100.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Percent(pub(super) f64);

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        if (0.0..=100.0).contains(&number) {
            return Ok(Self(number));
        }
        Err(D::Error::custom(format_args!("{number} is no percentage: 0 to 100")))
    }
}
