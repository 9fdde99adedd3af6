"""Where `veinscan pacs push` sends to when nobody says: never to an address that only a folder names."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from test_pacs_whole_way import make_final, mark

from veinscan.pacs.origin import origin_path


@pytest.mark.parametrize("archive", ["clinic", "elsewhere", "EVIL@127.0.0.1:{port}"])
def test_a_note_in_the_folder_sends_no_plan_to_a_stranger(
    cli, sample_study_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: str
):
    settings = tmp_path / "settings.toml"
    settings.write_text('[pacs.clinic]\nurl = "http://127.0.0.1:1/dicom-web"\n')
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(settings))
    monkeypatch.setenv("VEINSCAN_DATA_DIR", str(tmp_path / "data"))
    mark(cli, sample_study_dir)
    make_final(cli, sample_study_dir)
    uid = cli("inspect", sample_study_dir, "--json").json["study_instance_uid"]
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]
        note = {
            "format": 1, "veinscan": "1", "archive": archive.format(port=port),
            "dimse": f"EVIL@127.0.0.1:{port}", "study_instance_uid": uid,
            "pulled_at": "2026-01-01T00:00:00+00:00", "complete": True, "objects": {},
        }  # fmt: skip
        origin_path(sample_study_dir).write_text(json.dumps(note))
        called = cli("pacs", "push", sample_study_dir)
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody called
            stranger.accept()
    assert called.code == 1 and "the settings do not name so" in called.err and "--pacs" in called.err
    assert str(port) not in called.err
    assert cli("pacs", "queue", "--json").json["objects"] == []
