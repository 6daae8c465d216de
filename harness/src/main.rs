//! The one binary of Squall; everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    squall::cli::main()
}
