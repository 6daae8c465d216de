//! Messages of gRPC in a body: counted as they go by, however the bytes are cut.

/// Bytes ahead of a message: a flag, and its length.
const AHEAD: u8 = 5;

/// Counts messages of a body, each from its first byte on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct GrpcMessages {
    /// Messages that have begun.
    pub(crate) count: u64,
    /// How many of the bytes ahead of the present one are there; none between two messages.
    ahead: u8,
    length: u32,
    /// Bytes of it that are still to come.
    left: u32,
}

impl GrpcMessages {
    /// More of the body.
    pub(crate) fn push(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.left > 0 {
                let taken = bytes.len().min(self.left as usize);
                self.left -= taken as u32;
                bytes = bytes.get(taken..).unwrap_or_default();
                continue;
            }
            match self.ahead {
                0 => {
                    self.count += 1;
                    self.length = 0;
                }
                _ => self.length = self.length << 8 | u32::from(*first),
            }
            self.ahead += 1;
            if self.ahead == AHEAD {
                (self.ahead, self.left) = (0, self.length);
            }
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(lengths: &[usize]) -> Vec<u8> {
        let message = |length: &usize| {
            let length = u32::try_from(*length).unwrap();
            [&[0][..], &length.to_be_bytes(), &vec![7; length as usize]].concat()
        };
        lengths.iter().flat_map(message).collect()
    }

    #[test]
    fn a_message_counts_once_it_has_begun() {
        let mut messages = GrpcMessages::default();
        messages.push(&[]);
        assert_eq!(messages.count, 0);
        messages.push(&[0]);
        assert_eq!(messages.count, 1);
        messages.push(&[0, 0, 0, 2, 9, 9, 1]);
        assert_eq!(messages.count, 2);
    }

    proptest! {
        #[test]
        fn messages_are_counted_however_their_bytes_are_cut(
            lengths in proptest::collection::vec(0_usize..300, 0..20),
            cut in 1_usize..50,
        ) {
            let mut messages = GrpcMessages::default();
            body(&lengths).chunks(cut).for_each(|chunk| messages.push(chunk));
            prop_assert_eq!(messages.count, lengths.len() as u64);
        }
    }
}
