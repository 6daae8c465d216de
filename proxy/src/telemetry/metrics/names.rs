//! Sets of numbers, each under a name of Envoy's.

use super::cell::Cell;
use std::marker::PhantomData;

/// Names of numbers that are kept together.
pub(super) trait Name: Copy + 'static {
    /// All of them, in order.
    const ALL: &'static [Self];

    /// Its place in that order.
    fn place(self) -> usize;

    /// As Envoy writes it.
    fn text(self) -> &'static str;
}

/// Makes an enumeration of names.
macro_rules! names {
    ($(#[$about:meta])* $kind:ident { $($name:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $kind {
            $(#[doc = concat!("`", $text, "`")] $name,)+
        }

        impl crate::telemetry::metrics::names::Name for $kind {
            const ALL: &'static [Self] = &[$(Self::$name),+];

            fn place(self) -> usize {
                self as usize
            }

            fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                }
            }
        }
    };
}
pub(super) use names;

/// Something under each name.
#[derive(Debug)]
pub(super) struct Set<N, T = Cell>(Box<[T]>, PhantomData<N>);

impl<N: Name, T: Default> Default for Set<N, T> {
    fn default() -> Self {
        Self(N::ALL.iter().map(|_| T::default()).collect(), PhantomData)
    }
}

impl<N: Name, T> Set<N, T> {
    /// What stands under `name`.
    pub(super) fn of(&self, name: N) -> &T {
        &self.0[name.place()]
    }
}
