# shellcheck shell=bash
# Emulators for programs of foreign architectures, which making foreign guests needs. Sourced by scripts/setup.

_binfmt=/proc/sys/fs/binfmt_misc

# Debian's package registers them through systemd or binfmt-support; containers have neither.
_register() {
    local name=$1 as_root
    _become_root || { say "the emulator $name is not registered with the kernel, and there is no way to become root: tests that make guests of that architecture will fail"; return; }
    [[ -e $_binfmt/register ]] || run "${as_root[@]}" mount -t binfmt_misc binfmt_misc $_binfmt || return 0
    say "registering $name with the kernel, as /usr/lib/binfmt.d/$name.conf says"
    "${as_root[@]}" tee $_binfmt/register <"/usr/lib/binfmt.d/$name.conf" >/dev/null || say "the kernel refused it: tests that make guests of that architecture will fail"
}

# Register those that the tests make guests of; this host's own has no file there.
setup_emulators() {
    local name
    for name in qemu-aarch64 qemu-x86_64; do
        [[ ! -e /usr/lib/binfmt.d/$name.conf || -e $_binfmt/$name ]] || _register $name
    done
}
