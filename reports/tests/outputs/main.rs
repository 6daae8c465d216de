//! What other programs and people read of a run, drawn from small records made by hand.

mod annotations;
mod card;
mod junit;
mod markdown;
mod nasty;
mod pages;
mod salvage;
mod sample;
mod summary;
