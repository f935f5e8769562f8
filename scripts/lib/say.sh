# shellcheck shell=bash
# Words for people. Sourced by scripts/setup.

say() {
    printf 'setup: %s\n' "$*" >&2
}

# Show a command as it could be typed, then run it.
run() {
    say "running: $(printf '%q ' "$@")"
    "$@"
}

# fail STATUS WHAT [NEXT...]: end with one line that says what, and lines that say how to go on.
fail() {
    local status=$1 line
    shift
    printf '\nsetup: %s\n' "$1" >&2
    shift
    for line in "$@"; do
        printf '       %s\n' "$line" >&2
    done
    exit "$status"
}

# Print one hash over the names and contents of the files whose names come in on standard input, each ended by NUL, and over the arguments.
hash_of() {
    { printf '%s\n' "$@"; xargs --null --no-run-if-empty sha256sum; } | sha256sum | cut -c1-64
}
