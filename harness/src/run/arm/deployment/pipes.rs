//! What comes out of the load worker, on its way to the arm.

use super::Input;
use crate::load::wire::Frame;
use bytes::BytesMut;
use tokio::io::AsyncReadExt;
use tokio::process::ChildStdout;
use tokio::sync::mpsc::UnboundedSender;

/// Hands on what a generator says. Only the load worker itself speaks for the generator's health.
pub(super) async fn read_frames(
    mut output: ChildStdout,
    sender: UnboundedSender<Input>,
    name: String,
    is_load_worker: bool,
) {
    let mut buf = BytesMut::with_capacity(1 << 16);
    loop {
        match Frame::decode(&mut buf) {
            Ok(Some(Frame::Done)) => {
                let _ = sender.send(Input::Frame(Frame::Done));
                return;
            }
            Ok(Some(Frame::Health(_))) if !is_load_worker => continue,
            Ok(Some(frame)) => {
                if sender.send(Input::Frame(frame)).is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(_) => break,
        }
        buf.reserve(1 << 16);
        if !matches!(output.read_buf(&mut buf).await, Ok(read) if read > 0) {
            break;
        }
    }
    let _ = sender.send(Input::Died(name));
}
