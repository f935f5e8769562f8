# shellcheck shell=bash
# The virtual environment .venv, and what pip puts there. Sourced by scripts/setup.

_venv_stamps=.venv/.setup

_good_python() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Print a Python that is new enough and can make virtual environments.
_find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 /usr/bin/python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null && _good_python "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail 3 "there is no Python 3.11 or newer with the venv module" "On Debian: apt-get install python3 python3-venv. Another one can be named as PYTHON=/path/to/python3 make setup"
}

# An environment cannot be moved, and breaks when its Python goes: make it anew when it does not work where it stands.
_make_venv() {
    local python
    if [[ -f .venv/pyvenv.cfg && $(cat $_venv_stamps/place 2>/dev/null) == "$PWD" ]] && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        return
    fi
    python=$(_find_python)
    say "making the virtual environment .venv with $("$python" --version)"
    "$python" -m venv --clear .venv || fail 3 "the virtual environment cannot be made" "The error of Python stands above."
    mkdir -p $_venv_stamps
    printf '%s\n' "$PWD" >$_venv_stamps/place
}

# pip_install STAMP KEY ARGUMENTS...: once for each KEY.
pip_install() {
    local stamp=$_venv_stamps/$1 key=$2
    shift 2
    [[ $(cat "$stamp" 2>/dev/null) == "$key" ]] && return
    rm -f "$stamp"
    run .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@" </dev/null ||
        fail 3 "pip could not install the Python packages" "Is the network up? The error of pip stands above."
    printf '%s\n' "$key" >"$stamp"
}

_python_key() {
    printf '%s\0' "$@" | hash_of "$(.venv/bin/python --version)"
}

# setup_python LANE: run installs the program, test and engines also the tools of developers, docs those that build the documentation.
setup_python() {
    local key
    _make_venv
    key=$(_python_key pyproject.toml)
    case $1 in
        test | engines) pip_install test "$key" --editable '.[dev]' ;;
        docs)
            setup_python run
            pip_install docs "$(_python_key docs/requirements.txt)" --requirement docs/requirements.txt
            return
            ;;
        run)
            # The tools of developers include the program.
            [[ $(cat $_venv_stamps/test 2>/dev/null) == "$key" ]] || pip_install run "$key" --editable .
            ;;
    esac
    say "Python packages: all there"
}
