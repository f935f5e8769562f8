# shellcheck shell=bash
# Debian packages, by the table scripts/packages.txt. Sourced by scripts/setup.

# Print the packages of a lane for this host's architecture, each with its '?' if it has one.
_wanted_packages() {
    awk -v lane="$1" -v host="$(dpkg --print-architecture)" '
        /^[ \t]*(#|$)/ { next }
        !($1 == "run" || $1 == lane || ($1 == "test" && lane == "engines")) { next }
        NF > 2 { for (i = 3; i <= NF; i++) if ($i == host) { print $2; next } next }
        { print $2 }
    ' scripts/packages.txt | sort -u
}

_installed_packages() {
    dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' | awk '$1 == "installed" { print $2 }' | sort -u
}

# Print those of the given packages that this release has.
_available_packages() {
    [[ $# -eq 0 ]] || apt-cache madison "$@" 2>/dev/null | awk '{ print $1 }' | sort -u
}

# Print the packages of a lane that are not installed.
_missing_packages() {
    local wanted installed optional
    wanted=$(_wanted_packages "$1")
    installed=$(_installed_packages)
    optional=$(comm -23 <(grep '^?' <<<"$wanted" | tr -d '?' | sort) <(printf '%s\n' "$installed"))
    comm -23 <(grep -v '^?' <<<"$wanted") <(printf '%s\n' "$installed")
    # shellcheck disable=SC2086 # package names, one word each
    _available_packages $optional
}

# Set as_root to the words that run a command as root.
_become_root() {
    as_root=()
    [[ $(id -u) -eq 0 ]] && return
    command -v sudo >/dev/null || return 1
    as_root=(sudo)
    [[ -t 0 ]] || sudo --non-interactive true 2>/dev/null
}

_apt_get() {
    run "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 --option DPkg::Lock::Timeout=300 "$@" </dev/null
}

# The tests download packages of the guests that they make, by lists that must not be old.
_fresh_lists() {
    [[ -n $(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -print -quit) && -n $(find /var/lib/apt/lists/partial -maxdepth 0 -mtime -3) ]]
}

_refresh_lists() {
    local as_root
    if _become_root && _apt_get update; then
        return
    fi
    say "the lists of Debian packages are old or missing and cannot be fetched: tests that make guests may fail"
}

# _install_packages LANE PACKAGES...: the packages are for the message, fresh lists may add optional ones.
_install_packages() {
    local lane=$1 as_root line
    shift
    line="apt-get update && apt-get install --no-install-recommends --yes $*"
    _become_root || fail 3 "Debian packages are missing, and there is no way to become root from here" "Have root run this line, then try again:" "" "$line"
    _apt_get update || fail 3 "the lists of Debian packages cannot be fetched" "Is the network up? The error of apt-get stands above."
    # An interrupted installation leaves packages that apt-get refuses to go on with.
    [[ -z $(dpkg --audit) ]] || run "${as_root[@]}" dpkg --configure -a
    # shellcheck disable=SC2046 # package names, one word each
    _apt_get install --no-install-recommends --yes $(_missing_packages "$lane") >build/apt.log ||
        fail 3 "the Debian packages cannot be installed" "The error of apt-get stands above, all that it printed in build/apt.log. By hand it is, as root:" "" "$line"
}

# setup_packages LANE: install what is missing; needs root or sudo only then.
setup_packages() {
    local lane=$1 missing
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "this is no Debian system, so packages are left to you: scripts/packages.txt has Debian's names for them"
        return
    fi
    missing=$(_missing_packages "$lane")
    if [[ -z $missing ]]; then
        [[ $lane == run ]] || _fresh_lists || _refresh_lists
        say "Debian packages: all there"
        return
    fi
    say "Debian packages: missing are $(tr '\n' ' ' <<<"$missing")"
    # shellcheck disable=SC2086 # package names, one word each
    _install_packages "$lane" $missing
}
