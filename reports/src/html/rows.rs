//! Rows of the pages' tables, ready to be shown.

mod asked;
mod beside;
mod happened;
mod health;

pub(super) use asked::{Asked, ControlRow, asked, control, interval, limit, name, place};
pub(super) use beside::{Beside, beside};
pub(super) use happened::{Happened, happened, loads, words_left_out};
pub(super) use health::{Health, health};
