#!/usr/bin/env bash
# Install what the tests use beyond Python packages. Safe to run again; what cannot be had is said, and its tests skip.
set -uo pipefail

target="${QUOTIDIAN_COMPONENTS:-$HOME/.cache/quotidian}"

debian() {
    command -v "$2" >/dev/null && { echo "$1: there already"; return; }
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "$1: NOT INSTALLED (needs root and apt-get): its tests will be skipped" >&2
        return
    fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >/dev/null \
        && echo "$1: installed" || echo "$1: NOT INSTALLED: its tests will be skipped" >&2
}

# The first Python that runs, of the versions that a Home Assistant is known to work with, newest first.
python_of() {
    for candidate in "python$1" "$(pyenv root 2>/dev/null)/versions/$1".*/bin/python; do
        "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null && {
            echo "$candidate"
            return
        }
    done
}

home_assistant() {
    local home="$target/homeassistant"
    [ -x "$home/bin/hass" ] && { echo "Home Assistant: there already"; return; }
    local version python packages
    for version in 3.13 3.12 3.11; do
        python="$(python_of "$version")"
        [ -n "$python" ] && break
    done
    case "$version" in
        3.13) packages="homeassistant==2025.4.4 home-assistant-frontend==20250411.0" ;;
        3.12) packages="homeassistant==2025.1.4" ;;
        *) packages="homeassistant==2024.3.3 josepy<2" ;;
    esac
    # shellcheck disable=SC2086
    if [ -n "$python" ] && "$python" -m venv "$home" \
        && "$home/bin/pip" install --quiet --disable-pip-version-check $packages pyotp==2.8.0 PyQRCode==1.2.1 2>&1 \
            | grep -v '^WARNING' ; [ -x "$home/bin/hass" ]; then
        echo "Home Assistant: installed ($packages)"
    else
        rm -rf "$home"
        echo "Home Assistant: NOT INSTALLED: its tests will be skipped" >&2
    fi
}

flux() {
    local package="@influxdata/flux-lsp-node"
    [ -d "$target/flux/node_modules/$package" ] && { echo "parser of Flux: there already"; return; }
    if command -v node >/dev/null && command -v npm >/dev/null && mkdir -p "$target/flux" \
        && npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$target/flux" "$package@0.8.40"; then
        echo "parser of Flux: installed"
    else
        rm -rf "$target/flux"
        echo "parser of Flux: NOT INSTALLED (needs node and npm): its tests will be skipped" >&2
    fi
}

mkdir -p "$target"
debian chromium chromium
debian strace strace
debian age age
debian prometheus promtool
debian influxdb influxd
debian victoria-metrics victoria-metrics
flux
home_assistant
