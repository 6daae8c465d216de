//! Which endpoint gets the next try. Pure: time, chance and load come in as arguments.
//!
//! A [`Rotation`] is built whenever endpoints or their health change, which is rare, and then answers picks without looking at the
//! endpoints it does not pick: priority by load and panic ([`loads`]), locality by weight, then the policy. What picks change is in a
//! [`Turn`], one for each worker, so that the rotation itself can be shared.

mod group;
mod hash;
mod loads;
mod maglev;
mod part;
mod previous;
mod ring;
mod rotation;
mod schedule;
mod shares;
mod slow_start;
mod subset;
mod turn;

pub(crate) use hash::{combine, key, keys};
pub(crate) use loads::Priorities;
pub(crate) use previous::Previous;
pub(crate) use rotation::{Member, Pick, Rotation, Wish};
pub(crate) use turn::Turn;

#[cfg(test)]
mod tests;
