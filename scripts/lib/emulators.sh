# shellcheck shell=bash
# Emulators for programs of foreign architectures, which making foreign guests needs. Sourced by scripts/setup.

# Register those that the tests make guests of and that nobody has registered yet; for the time until the next boot.
setup_emulators() {
    local arch as_root missing=()
    for arch in aarch64 x86_64; do
        [[ $arch == "$(uname -m)" || -e /proc/sys/fs/binfmt_misc/qemu-$arch ]] || missing+=("$arch")
    done
    ((${#missing[@]})) || return 0
    if ! _become_root; then
        say "no emulator of ${missing[*]} is registered with the kernel, and there is no way to become root: tests that make guests of that architecture will fail"
        return
    fi
    run "${as_root[@]}" .venv/bin/qd binfmt install "${missing[@]}" --no-persist ||
        say "it could not be registered: tests that make guests of that architecture will fail"
}
