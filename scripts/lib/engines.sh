# shellcheck shell=bash
# The newest container engines, which the second lane of tests runs. Sourced by scripts/setup.

# Build from Go modules those that are not in the tests' cache yet.
setup_engines() {
    local status=0
    .venv/bin/python -m scripts.engines || status=$?
    ((status != 130)) || exit 130
    ((status == 0)) || fail "$status" "the engines cannot be built" "Is the network up? The error stands above. 'make test' does not need them."
}
