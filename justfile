# The recipes of everyday work; `just --list` shows them.

# What CI runs.
check:
    bash .ci/run

# All tests.
test:
    cargo test --release --workspace

# Compare the data plane with Envoy, in the cases whose name has this in it.
envoy CASE="":
    SQUALL_ENVOY=required SQUALL_CASE={{CASE}} cargo test --release -p squall -p squall-tests --test envoy

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

# Each advice, shown under load.
advice *ARGS:
    cargo run --release -- run examples/advice {{ARGS}}

# Build and check what is handed out: a static program; as root.
package:
    packaging/check

# Measure what a request costs; on a quiet machine.
bench:
    cargo bench -p squall-benches
