use crate::Place;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Name by which [`Spanned`] asks for the place.
pub(crate) const SPANNED: &str = "$squall_yaml::Spanned";
/// Name by which [`Keyed`] asks for the place.
pub(crate) const KEYED: &str = "$squall_yaml::Keyed";
/// Name by which [`Unsupported`] asks to be noted.
pub(crate) const UNSUPPORTED: &str = "$squall_yaml::Unsupported";

/// A value with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parts(deserializer, SPANNED)
    }
}

/// Reads line, column and value.
fn parts<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
    name: &'static str,
) -> Result<Spanned<T>, D::Error> {
    struct Parts<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Parts<T> {
        type Value = Spanned<T>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a value with its place")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Spanned<T>, A::Error> {
            let missing = || A::Error::custom("a value with its place");
            let line = parts.next_element()?.ok_or_else(missing)?;
            let column = parts.next_element()?.ok_or_else(missing)?;
            let value = parts.next_element()?.ok_or_else(missing)?;
            Ok(Spanned { value, place: Place { line, column } })
        }
    }
    deserializer.deserialize_newtype_struct(name, Parts(PhantomData))
}

/// A value with the place of its key, for where the key is the mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyed<T> {
    /// The value.
    pub value: T,
    /// Where its key stands; where it is no value of a map, where it stands itself.
    pub key: Place,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value, place } = parts(deserializer, KEYED)?;
        Ok(Self { value, key: place })
    }
}

/// Takes any value, and has the reader note that it stood there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsupported;

impl<'de> Deserialize<'de> for Unsupported {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Unsupported;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_unit<E>(self) -> Result<Unsupported, E> {
                Ok(Unsupported)
            }
        }
        deserializer.deserialize_newtype_struct(UNSUPPORTED, Any)
    }
}
