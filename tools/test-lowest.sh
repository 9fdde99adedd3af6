#!/bin/sh
# Runs the suite on the lowest releases that pyproject.toml allows.
set -eu
python="${PYTHON:-python3}"
"$python" -m venv .venv-lowest
.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check --upgrade pip
"$python" tools/lowest.py pyproject.toml >.venv-lowest/lowest.txt
.venv-lowest/bin/python -m pip install --quiet --disable-pip-version-check -e '.[gui,research,pacs,test]' -c .venv-lowest/lowest.txt
# Old releases warn about newer ones of what they stand on: that is theirs, so warnings do not fail here.
xvfb-run -a -s "-screen 0 1280x1024x24" .venv-lowest/bin/python -m pytest -W default ${PYTEST_ARGS:-}
