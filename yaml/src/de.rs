//! serde over the tree.
#![expect(clippy::result_large_err, reason = "an error ends a reading, so that its size costs nothing")]

use crate::error::Error;
use crate::spanned::{KEYED, SPANNED, UNSUPPORTED};
use crate::{Node, Value};
use serde::de::value::{BorrowedStrDeserializer, U64Deserializer};
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    VariantAccess, Visitor,
};
use std::cell::RefCell;
use std::collections::HashSet;

/// What one reading of a document shares.
#[derive(Default)]
pub(crate) struct Context<'a> {
    /// Nodes that failed before, by address.
    pub(crate) pruned: HashSet<*const Node>,
    /// Nodes that were read but will not be obeyed.
    pub(crate) unsupported: RefCell<Vec<&'a Node>>,
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a, 'c> {
    pub(crate) node: &'a Node,
    /// Its key, if it is a value of a map.
    pub(crate) key: Option<&'a Node>,
    pub(crate) context: &'c Context<'a>,
}

impl<'a> Reader<'a, '_> {
    fn other(self, node: &'a Node) -> Self {
        Self { node, key: None, ..self }
    }

    fn alive(self, node: &Node) -> bool {
        !self.context.pruned.contains(&std::ptr::from_ref(node))
    }

    fn any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.node.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Unsigned(number, _) => visitor.visit_u64(*number),
            Value::Signed(number, _) => visitor.visit_i64(*number),
            Value::Float(number, _) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::List(entries) => visitor.visit_seq(Entries { reader: self, entries: entries.iter() }),
            Value::Map(entries) => {
                let lost: Vec<&str> = entries
                    .iter()
                    .filter(|(key, value)| !self.alive(key) || !self.alive(value))
                    .filter_map(|(key, _)| key.value.scalar())
                    .collect();
                visitor.visit_map(Pairs { reader: self, entries: entries.iter(), value: None }).map_err(|mut error| {
                    // What is missing only because it was pruned has been complained about already.
                    if error.node.is_none() && error.missing.is_some_and(|name| lost.contains(&name)) {
                        error.silent = true;
                    }
                    error
                })
            }
        }
    }
}

macro_rules! as_any {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
            self.any(visitor).map_err(|error| error.at(self.node))
        }
    )*};
}

impl<'a> Deserializer<'a> for Reader<'a, '_> {
    type Error = Error;

    as_any! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map
    }

    fn deserialize_identifier<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value.scalar() {
            Some(text) => visitor.visit_borrowed_str(text).map_err(|error: Error| error.at(self.node)),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.node.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
        .map_err(|error: Error| error.at(self.node))
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            SPANNED => visitor.visit_seq(Parts { reader: self, shown: self.node, next: 0 }),
            KEYED => visitor.visit_seq(Parts { reader: self, shown: self.key.unwrap_or(self.node), next: 0 }),
            UNSUPPORTED => {
                self.context.unsupported.borrow_mut().push(self.node);
                visitor.visit_unit()
            }
            _ => visitor.visit_newtype_struct(self),
        }
        .map_err(|error: Error| error.at(self.node))
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // Derived readers would take the entries of a list for the fields, in their order.
        if let Value::List(_) = self.node.value {
            return Err(Error::invalid_type(Unexpected::Seq, &"a map").at(self.node));
        }
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let at = |error: Error| error.at(self.node);
        match &self.node.value {
            Value::Text(_) => visitor.visit_enum(Variant { reader: self, name: self.node, content: None }).map_err(at),
            Value::Map(entries) => match &entries[..] {
                [(name, content)] => {
                    visitor.visit_enum(Variant { reader: self, name, content: Some(content) }).map_err(at)
                }
                _ => Err(at(Error {
                    message: format!("found a map of {} keys", entries.len()),
                    expected: Some("a map of one key".to_owned()),
                    ..Error::default()
                })),
            },
            _ => Err(at(Error { expected: Some("a name, or a map of one key".to_owned()), ..found(self.node) })),
        }
    }
}

fn found(node: &Node) -> Error {
    let found = match &node.value {
        Value::List(_) => Unexpected::Seq,
        Value::Map(_) => Unexpected::Map,
        Value::Null => Unexpected::Unit,
        other => Unexpected::Str(other.scalar().unwrap_or_default()),
    };
    Error::invalid_type(found, &"something else")
}

struct Entries<'a, 'c> {
    reader: Reader<'a, 'c>,
    entries: std::slice::Iter<'a, Node>,
}

impl<'a> SeqAccess<'a> for Entries<'a, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let reader = self.reader;
        let next = self.entries.find(|entry| reader.alive(entry));
        next.map(|entry| seed.deserialize(reader.other(entry)).map_err(|error| error.at(entry))).transpose()
    }
}

struct Pairs<'a, 'c> {
    reader: Reader<'a, 'c>,
    entries: std::slice::Iter<'a, (Node, Node)>,
    value: Option<(&'a Node, &'a Node)>,
}

impl<'a> MapAccess<'a> for Pairs<'a, '_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let reader = self.reader;
        let next = self.entries.find(|(key, value)| reader.alive(key) && reader.alive(value));
        next.map(|(key, value)| {
            self.value = Some((key, value));
            seed.deserialize(Key { reader: reader.other(key) }).map_err(|error| error.at(key))
        })
        .transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (key, node) = self.value.take().ok_or_else(|| Error::custom("a value without a key"))?;
        seed.deserialize(Reader { key: Some(key), ..self.reader.other(node) }).map_err(|error| error.at(node))
    }
}

/// Reads a key: always text.
struct Key<'a, 'c> {
    reader: Reader<'a, 'c>,
}

impl<'a> Deserializer<'a> for Key<'a, '_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.reader.node.value.scalar().unwrap_or_default())
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, name: &'static str, visitor: V) -> Result<V::Value, Error> {
        match name {
            SPANNED | KEYED => visitor.visit_seq(Parts { reader: self.reader, shown: self.reader.node, next: KEY }),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// Added to the number of the next part where the value is a key.
const KEY: usize = 10;

/// Line, column and value, for [`Spanned`](crate::Spanned) and [`Keyed`](crate::Keyed).
struct Parts<'a, 'c> {
    reader: Reader<'a, 'c>,
    /// What the place is that of.
    shown: &'a Node,
    next: usize,
}

impl<'a> SeqAccess<'a> for Parts<'a, '_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let number = |number: usize| -> U64Deserializer<Error> { (number as u64).into_deserializer() };
        let place = self.shown.place;
        let part = self.next;
        self.next += 1;
        match part % KEY {
            0 => seed.deserialize(number(place.line)).map(Some),
            1 => seed.deserialize(number(place.column)).map(Some),
            2 if part > KEY => seed.deserialize(Key { reader: self.reader }).map(Some),
            2 => seed.deserialize(self.reader).map(Some),
            _ => Ok(None),
        }
    }
}

#[derive(Clone, Copy)]
struct Variant<'a, 'c> {
    reader: Reader<'a, 'c>,
    name: &'a Node,
    content: Option<&'a Node>,
}

impl<'a> EnumAccess<'a> for Variant<'a, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), Error> {
        let name = BorrowedStrDeserializer::new(self.name.value.scalar().unwrap_or_default());
        // Without its name a variant is nothing: the map as a whole is pruned, but the place shown is the name's.
        let at = |error: Error| Error { shown: Some(&raw const *self.name), ..error }.at(self.reader.node);
        seed.deserialize(name).map(|value| (value, self)).map_err(at)
    }
}

impl<'a> VariantAccess<'a> for Variant<'a, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(content) => Err(Error { expected: Some("nothing".to_owned()), ..found(content) }.at(content)),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Error> {
        let reader = self.content()?;
        seed.deserialize(reader).map_err(|error| error.at(reader.node))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.content()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Error> {
        self.content()?.deserialize_any(visitor)
    }
}

impl<'a, 'c> Variant<'a, 'c> {
    /// What a variant holds; a variant whose content failed before fails silently.
    fn content(self) -> Result<Reader<'a, 'c>, Error> {
        let Some(content) = self.content else {
            let name = self.name.value.scalar().unwrap_or_default();
            return Err(Error::custom(format_args!("`{name}` needs a value")).at(self.reader.node));
        };
        if !self.reader.alive(content) {
            return Err(Error { silent: true, ..Error::default() }.at(self.reader.node));
        }
        Ok(self.reader.other(content))
    }
}
