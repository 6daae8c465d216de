//! Response flags: why an answer is what it is.

mod flag;

pub(crate) use flag::Flag;
use std::fmt;

/// The flags of one request, in the order in which they were raised, which is the order in which Envoy prints them.
///
/// Five bits a flag, the first in the lowest ones, so that it is copied, compared and counted as a number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Flags(u64);

impl Flags {
    /// So many are remembered; Envoy expects no more than four.
    pub(crate) const MOST: u32 = 9;
    /// Bits of [`Flags::bits`] that may be set.
    pub(crate) const BITS: u32 = Self::MOST * Self::WIDTH;
    /// None.
    pub(crate) const NONE: Self = Self(0);
    const WIDTH: u32 = 5;
    const MASK: u64 = (1 << Self::WIDTH) - 1;

    /// Raises one; a second time is nothing.
    pub(crate) fn raise(&mut self, flag: Flag) {
        let free = self.len() * Self::WIDTH;
        if free < Self::BITS && !self.has(flag) {
            self.0 |= u64::from(flag as u8) << free;
        }
    }

    /// These and one more.
    #[must_use]
    pub(crate) fn with(mut self, flag: Flag) -> Self {
        self.raise(flag);
        self
    }

    /// True if it was raised.
    pub(crate) fn has(self, flag: Flag) -> bool {
        self.iter().any(|raised| raised == flag)
    }

    /// True if none was raised.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those that were raised, in order.
    pub(crate) fn iter(self) -> impl Iterator<Item = Flag> {
        let numbers = (0..Self::MOST).map(move |at| (self.0 >> (at * Self::WIDTH)) & Self::MASK);
        numbers.map_while(|number| Flag::ALL.get((number as usize).checked_sub(1)?).copied())
    }

    /// As a number, of which the lowest [`Flags::BITS`] bits count.
    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    /// What [`Flags::bits`] gave.
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }

    fn len(self) -> u32 {
        (u64::BITS - self.0.leading_zeros()).div_ceil(Self::WIDTH)
    }
}

impl fmt::Display for Flags {
    /// Comma separated, `-` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("-");
        }
        for (at, flag) in self.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            f.write_str(flag.letters())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Flag> for Flags {
    fn from(flag: Flag) -> Self {
        Self::NONE.with(flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_printed_in_the_order_in_which_they_were_raised() {
        assert_eq!(Flags::NONE.to_string(), "-");
        assert_eq!(Flags::from(Flag::RetryLimit).with(Flag::ConnectFailure).to_string(), "URX,UF");
        assert_eq!(Flags::from(Flag::DelayInjected).with(Flag::FaultInjected).to_string(), "DI,FI");
        assert_eq!(Flags::from(Flag::DownstreamReset).to_string(), "DR");
    }

    #[test]
    fn a_flag_that_is_raised_twice_counts_once() {
        let flags = Flags::from(Flag::Overflow).with(Flag::RetryLimit).with(Flag::Overflow);
        assert_eq!(flags.to_string(), "UO,URX");
        assert!(flags.has(Flag::Overflow) && !flags.has(Flag::NoRoute));
    }

    #[test]
    fn the_letters_are_envoys() {
        let letters =
            "LH UH UT LR UR UF UC UO NR DI FI RL UAEX RLSE DC URX SI IH DPE UMSDR RFCF NFCF DT UPE NC OM DF DO UDO DR";
        assert_eq!(Flag::ALL.map(Flag::letters).join(" "), letters);
    }

    #[test]
    fn every_flag_has_its_number_and_letters_of_its_own_and_survives_being_a_number() {
        let mut letters = std::collections::BTreeSet::new();
        for (at, flag) in Flag::ALL.into_iter().enumerate() {
            assert_eq!(flag as usize, at + 1);
            assert!(letters.insert(flag.letters()));
            assert_eq!(Flags::from_bits(Flags::from(flag).bits()).iter().collect::<Vec<_>>(), [flag]);
        }
    }

    #[test]
    fn more_flags_than_have_room_are_left_out() {
        let all = Flag::ALL.into_iter().fold(Flags::NONE, Flags::with);
        assert_eq!(all.iter().collect::<Vec<_>>(), Flag::ALL[..Flags::MOST as usize]);
        assert_eq!(all.bits() >> Flags::BITS, 0);
    }
}
