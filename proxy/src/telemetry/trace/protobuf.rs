//! As much of protobuf's writing as spans need.

/// A message that is being written.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

const VARINT: u64 = 0;
const FIXED_64: u64 = 1;
const BYTES: u64 = 2;

impl Message {
    /// The bytes so far.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A number; 0 is left out, which is what its absence means.
    pub(super) fn number(mut self, field: u64, number: u64) -> Self {
        if number != 0 {
            self.varint(field << 3 | VARINT);
            self.varint(number);
        }
        self
    }

    /// A number of eight bytes.
    pub(super) fn fixed(mut self, field: u64, number: u64) -> Self {
        self.varint(field << 3 | FIXED_64);
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Bytes or text; nothing is left out.
    pub(super) fn bytes(self, field: u64, bytes: &[u8]) -> Self {
        if bytes.is_empty() { self } else { self.prefixed(field, bytes) }
    }

    /// A message in this one, even if it is empty.
    pub(super) fn message(self, field: u64, message: &Self) -> Self {
        self.prefixed(field, &message.0)
    }

    fn prefixed(mut self, field: u64, bytes: &[u8]) -> Self {
        self.varint(field << 3 | BYTES);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_bytes_and_messages_are_written_as_the_format_says() {
        let inner = Message::default().bytes(2, b"testing");
        let message = Message::default().number(1, 150).number(9, 0).message(3, &inner).fixed(16, 1).bytes(5, b"");
        let expected =
            [&[0x08, 0x96, 0x01][..], &[0x1a, 9, 0x12, 7], b"testing", &[0x81, 0x01, 1, 0, 0, 0, 0, 0, 0, 0]].concat();
        assert_eq!(message.into_bytes(), expected);
        assert_eq!(Message::default().number(1, u64::MAX).into_bytes().len(), 11);
    }
}
