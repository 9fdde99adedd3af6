"""Push or pull in a process of its own, so that it can be killed, or its memory be looked at.

    python archive_worker.py push ARCHIVE DIMSE FOLDER...
    python archive_worker.py pull ARCHIVE DIMSE OUT UID...

DIMSE is `AET@host:port`, or '-' for what the settings say.  Says 'ready' when the imports
are made, then after every ten studies pushed and every one pulled 'done N KB' with the memory it
holds then.
"""

from __future__ import annotations

import sys
from pathlib import Path

from veinscan.pacs.connect import connect
from veinscan.pacs.pull import pull
from veinscan.pacs.send import push

GROUP = 10
"""Studies that go in one pass over the queue."""


def say(*words: object) -> None:
    print(*words, flush=True)


def resident_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def send_all(archive: str, dimse: str | None, files: list[Path]) -> None:
    found = push(archive, files, dimse=dimse, images=True)
    assert len(found.objects) == len(files), found.left_out


def push_all(archive: str, dimse: str | None, folders: list[str]) -> None:
    for begin in range(0, len(folders), GROUP):
        some = folders[begin : begin + GROUP]
        send_all(archive, dimse, [file for folder in some for file in sorted(Path(folder).glob("*.dcm"))])
        say("done", begin + len(some), resident_kb())


def pull_all(archive: str, dimse: str | None, out: Path, uids: list[str]) -> None:
    with connect(archive, dimse=dimse) as opened:
        for number, uid in enumerate(uids, start=1):
            found = pull(opened, uid, out / uid)
            assert not found.failed, found.failed
            say("done", number, resident_kb())


def main() -> None:
    what, archive, over, *rest = sys.argv[1:]
    dimse = None if over == "-" else over
    say("ready")
    if what == "push":
        push_all(archive, dimse, rest)
    else:
        pull_all(archive, dimse, Path(rest[0]), rest[1:])


if __name__ == "__main__":
    main()
