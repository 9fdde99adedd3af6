#!/bin/sh
# dcmjs, a DICOM reader in JavaScript, for the test that reads a record with it.
# Without node and npm, or without a network, nothing is installed and that test skips.
set -eu
cd "$(dirname "$0")/.."

command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 || exit 0
[ -d build/node/node_modules/dcmjs ] && exit 0
mkdir -p build/node
npm install --prefix build/node --no-save --no-audit --no-fund --ignore-scripts --silent dcmjs@0.51.1 ||
    echo "dcmjs could not be installed: the test that reads a record with it skips" >&2
