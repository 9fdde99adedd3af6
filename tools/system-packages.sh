#!/bin/sh
# System packages for the tests: Qt's libraries, a virtual screen, and the
# programs that check the objects and pages veinscan writes.
# Installs with apt as root on Debian or Ubuntu; else says which command to run.
set -eu

packages="libgl1 libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0
libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
xvfb xauth dcmtk dicom3tools poppler-utils"
# A browser for the page for a tablet.  Where there is no such package (Ubuntu has a snap), its tests skip.
browser=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
    command -v google-chrome >/dev/null 2>&1 || browser="chromium"

if command -v dpkg-query >/dev/null 2>&1; then
    missing=""
    for package in $packages; do
        # Newer releases call some of these NAME64t or NAMEt64: 'provides' counts too.
        if ! dpkg-query -W -f '${Status} ${Provides}\n' "$package" "${package}t64" 2>/dev/null |
            grep -q 'install ok installed'; then
            missing="$missing $package"
        fi
    done
    [ -z "$missing$browser" ] && exit 0
    if [ "$(id -u)" -eq 0 ]; then
        echo "Installing system packages for the tests:$missing $browser"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        # shellcheck disable=SC2086  # a list of words is meant
        [ -z "$missing" ] || apt-get install -y -qq --no-install-recommends $missing >/dev/null
        [ -z "$browser" ] || apt-get install -y -qq --no-install-recommends $browser >/dev/null ||
            echo "No browser could be installed: the tests that open a page in one skip" >&2
        exit 0
    fi
    [ -z "$missing" ] && exit 0
    echo "The tests need system packages; run: sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
command -v xvfb-run >/dev/null 2>&1 || {
    echo "The tests need xvfb-run and Qt's X11 libraries: install Xvfb with your system's package manager" >&2
    exit 1
}
