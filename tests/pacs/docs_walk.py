"""Walks docs/pacs.md as it is written: its Orthanc settings, its veinscan settings, its commands, its ports.

Started by `test_orthanc_docs` in a network namespace of its own, where 8042 and 4242 are free.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import orthanc_inside
import orthanc_rig

from veinscan.cli import main

DOCS = Path(__file__).parents[2] / "docs" / "pacs.md"
KEPT = "/var/lib/orthanc/clinic"


def blocks(kind: str) -> list[str]:
    """What stands in the fenced blocks of a kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", DOCS.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def wait_for(port: int, running: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            assert running.poll() is None, "Orthanc did not start"
            time.sleep(0.02)


def walk(place: Path) -> None:
    (config,) = blocks("json")
    (settings,) = blocks("toml")
    assert KEPT in config
    (place / "orthanc.json").write_text(config.replace(KEPT, str(place / "storage")))
    (place / "settings.toml").write_text(settings)
    os.environ["VEINSCAN_SETTINGS"] = str(place / "settings.toml")
    os.environ["VEINSCAN_DATA_DIR"] = str(place / "data")
    os.environ["VEINSCAN_PACS_CLINIC_PASSWORD"] = json.loads(config)["RegisteredUsers"]["veinscan"]
    os.chdir(place)
    orthanc_inside.loopback_up()
    with (place / "orthanc.log").open("wb") as log:
        program = orthanc_rig.orthanc_program()
        assert program is not None
        running = subprocess.Popen(
            [program, "orthanc.json"], stdout=log, stderr=log, preexec_fn=orthanc_inside.die_with_parent
        )
    try:
        for port in (8042, 4242):
            wait_for(port, running)
        for line in "".join(blocks("sh")).replace("\\\n", " ").splitlines():
            words = shlex.split(line)
            assert words[0] == "veinscan", line
            print("$", line, flush=True)
            code = main(words[1:])
            print(f"[{code}]", flush=True)
    finally:
        running.kill()
        running.wait()


if __name__ == "__main__":
    walk(Path(sys.argv[1]))
