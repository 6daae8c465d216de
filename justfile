# The recipes of everyday work; `just --list` shows them.

# What CI runs.
check:
    bash .ci/run

# All tests.
test:
    cargo test --release --workspace

# Open every page in a browser and hold it to its promises; target/pages/shots has the pictures.
pages *ARGS:
    bash tests/pages/run {{ARGS}}

# Format and lint as CI does.
lint:
    cargo fmt --all --check
    cargo clippy --release --workspace --all-targets -- -D warnings

# Every shipped scenario.
run *ARGS:
    cargo run --release -- run scenarios/ {{ARGS}}

# Measure what a request costs; on a quiet machine.
bench:
    cargo bench -p squall-benches
