#!/bin/sh
# System packages for the tests: Qt's libraries, a virtual screen, the programs
# that check the objects and pages veinscan writes, a browser, and an archive.
# Installs with apt as root on Debian or Ubuntu; else says which command to run.
set -eu

packages="libgl1 libegl1 libglib2.0-0 libfontconfig1 libdbus-1-3 libxkbcommon0
libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
xvfb xauth dcmtk dicom3tools poppler-utils"
# A browser for the page for a tablet.  Where there is no such package (Ubuntu has a snap), its tests skip.
browser=""
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
    command -v google-chrome >/dev/null 2>&1 || browser="chromium"
# A real archive.  Where there is no such package, the tests that need one skip.
archive="orthanc orthanc-dicomweb"

policy=/usr/sbin/policy-rc.d

is_there() {
    # Newer releases call some of these NAME64t or NAMEt64: 'provides' counts too.
    dpkg-query -W -f '${Status} ${Provides}\n' "$1" "${1}t64" 2>/dev/null | grep -q 'install ok installed'
}

install() {
    # shellcheck disable=SC2068  # a list of words is meant
    apt-get install -y -qq --no-install-recommends $@ >/dev/null
}

exists() {
    [ -e "$1" ] || [ -L "$1" ]
}

policy_back() {
    rm -f "$policy"
    ! exists "$policy.before-veinscan" || mv "$policy.before-veinscan" "$policy"
}

# Debian's package starts a service that listens on every address, now and at every start of the machine.
# The tests want the program only: they start it themselves, where no other machine reaches it.
install_archive() {
    trap policy_back EXIT
    trap 'exit 1' HUP INT TERM
    ! exists "$policy" || exists "$policy.before-veinscan" || mv "$policy" "$policy.before-veinscan"
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" || return 1
    came=0
    install "$@" || came=$?
    case " $* " in
    *" orthanc "*) update-rc.d orthanc disable >/dev/null 2>&1 || true ;;
    esac
    policy_back
    trap - EXIT HUP INT TERM
    return "$came"
}

if command -v dpkg-query >/dev/null 2>&1; then
    missing=""
    for package in $packages; do
        is_there "$package" || missing="$missing $package"
    done
    no_archive=""
    for package in $archive; do
        is_there "$package" || no_archive="$no_archive $package"
    done
    [ -z "$missing$browser$no_archive" ] && exit 0
    if [ "$(id -u)" -eq 0 ]; then
        echo "Installing system packages for the tests:$missing $browser$no_archive"
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        [ -z "$missing" ] || install "$missing"
        [ -z "$browser" ] || install "$browser" ||
            echo "No browser could be installed: the tests that open a page in one skip" >&2
        [ -z "$no_archive" ] || install_archive "$no_archive" ||
            echo "No Orthanc could be installed: the tests that need a real archive skip" >&2
        exit 0
    fi
    [ -z "$no_archive" ] ||
        echo "Without Orthanc the tests with a real archive skip; to run them: sudo sh tools/system-packages.sh" >&2
    [ -z "$missing" ] && exit 0
    echo "The tests need system packages; run: sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi
command -v xvfb-run >/dev/null 2>&1 || {
    echo "The tests need xvfb-run and Qt's X11 libraries: install Xvfb with your system's package manager" >&2
    exit 1
}
