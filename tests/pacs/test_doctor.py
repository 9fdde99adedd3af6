"""The doctor of an archive: for every cause the step that fails and what to do; nothing is left there."""

from __future__ import annotations

import contextlib
import io
import json
import ssl
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
import trustme
from hostile_server import HostileServer, Request, http, json_answer, multipart, related, row
from pydicom.uid import ExplicitVRLittleEndian

from veinscan.pacs.doctor import Step, check, ways
from veinscan.pacs.doctor_visit import DIMSE_STEPS, WEB_STEPS

STUDY, SERIES, SOP = (
    "1.2.826.0.1.3680043.8.498.1",
    "1.2.826.0.1.3680043.8.498.2",
    "1.2.826.0.1.3680043.8.498.3",
)
NAME = "Nobody^Anywhere"

Say = Callable[[Request], Iterable[bytes]]


def an_object() -> bytes:
    dataset = pydicom.Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.88.33", SOP
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = STUDY, SERIES, "SR"
    dataset.PatientName = NAME
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    return file.getvalue()


def archive(**instead: Say | list[bytes]) -> Say:
    """An archive of one study that does everything right, but for what is given as `qido`, `wado`, `stow`."""
    study = row(StudyInstanceUID=STUDY, PatientName=NAME, ModalitiesInStudy="US")
    instance = row(
        StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES, SOPInstanceUID=SOP, Modality="SR",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33",
    )  # fmt: skip

    def answer(request: Request) -> Iterable[bytes]:
        place = request.path.partition("?")[0]
        step = "stow" if request.method == "POST" else "wado" if place.endswith(SOP) else "qido"
        if step in instead:
            said = instead[step]
            return said(request) if callable(said) else said
        if step == "stow":
            return http(b"", status="400 Bad Request")
        if step == "wado":
            return http(multipart(an_object()), related())
        if not place.startswith("/dicom-web/studies"):
            return http(b"", status="404 Not Found")
        rows = instance if place.endswith("/instances") else study
        return json_answer([] if "offset=1" in request.path else [rows])

    return answer


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Write the settings of an archive called 'test'."""

    def write(**values: object) -> None:
        path = tmp_path / "settings.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        path.write_text("[pacs.test]\ntimeout_s = 3\n" + "\n".join(lines), encoding="utf-8")
        monkeypatch.setenv("VEINSCAN_SETTINGS", str(path))

    return write


def verdicts(steps: tuple[Step, ...]) -> dict[str, bool | None]:
    return {step.name: step.ok for step in steps}


def failed(steps: tuple[Step, ...], name: str) -> Step:
    """The step that failed, after what is before it and with nothing tried behind it."""
    names = [step.name for step in steps]
    at = names.index(name)
    assert [step.ok for step in steps[at:]] == [False] + [None] * (len(steps) - at - 1), steps
    assert all(step.ok is not False for step in steps[:at])
    assert all(step.what == "not tried" for step in steps[at + 1 :])
    assert steps[at].what and steps[at].do
    assert not any(NAME in step.what + step.do for step in steps)
    return steps[at]


def test_an_archive_that_does_everything(settings: Callable[..., None]):
    with HostileServer(archive()) as server:
        settings(url=server.url)
        told: list[Step] = []
        steps = check("test", told=told.append)
        assert verdicts(steps) == dict.fromkeys(WEB_STEPS, True)
        assert told == list(steps)
        assert "none was asked for" in steps[4].what
        (sent,) = [one for one in server.requests if one.method == "POST"]
    assert b"DICM" not in sent.body
    assert not any(NAME in step.what for step in steps)


def test_an_archive_without_a_study_can_still_be_asked_about_storing(settings: Callable[..., None]):
    with HostileServer(archive(qido=json_answer([]))) as server:
        settings(url=server.url)
        steps = check(None)
    assert verdicts(steps) == dict.fromkeys(WEB_STEPS, True) | {"wado": None}
    assert "no study to read" in steps[6].what


@pytest.mark.parametrize(
    ("said", "step", "what", "do"),
    [
        (http(b"", status="401 Unauthorized"), "login", "401", "add user"),
        (http(b"", status="403 Forbidden"), "login", "403", "administrator allow it"),
        (http(b"<html>Sign in</html>", "text/html"), "login", "web page", "login"),
        (http(status="302 Found", Location="https://sso.example"), "qido", "redirects us", "login page"),
        (http(status="302 Found", Location="http://localhost:1"), "qido", "redirects us", "login page"),
        (http(b"", status="404 Not Found"), "qido", "404", "url and qido_prefix"),
        (http(b"", status="501 Not Implemented"), "qido", "501", "url and qido_prefix"),
        (http(b"", status="503 Service Unavailable"), "qido", "503", "later"),
        (http(b"not json at all"), "qido", "not DICOM JSON", "DICOMweb root"),
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], "qido", "not HTTP", "DICOMweb root"),
    ],
)  # fmt: skip
def test_a_search_that_fails(settings: Callable[..., None], said: list[bytes], step: str, what: str, do: str):
    with HostileServer(lambda request: said) as server:
        settings(url=server.url)
        found = failed(check("test"), step)
    assert what in found.what and do in found.do, found


def test_a_refused_login_is_another_matter_than_a_missing_one(settings, monkeypatch):
    with HostileServer(lambda request: http(b"", status="401 Unauthorized")) as server:
        settings(url=server.url, user="reader")
        monkeypatch.setenv("VEINSCAN_PACS_TEST_PASSWORD", "open-sesame-17")
        found = failed(check("test"), "login")
    assert "pacs login test" in found.do
    assert "open-sesame" not in repr(found)


def test_a_keyring_that_is_not_there(settings, monkeypatch):
    import keyring
    from keyring.backends.fail import Keyring

    monkeypatch.setattr(keyring, "get_keyring", Keyring)
    monkeypatch.setattr(keyring.core, "_keyring_backend", Keyring())
    with HostileServer(archive()) as server:
        settings(url=server.url, user="reader")
        found = failed(check("test"), "login")
        assert server.requests == []
    assert "keyring" in found.what and "VEINSCAN_PACS_TEST_PASSWORD" in found.do


def test_dicomweb_at_another_usual_place_is_found(settings: Callable[..., None]):
    with HostileServer(archive()) as server:
        settings(url=f"{server.root}/pacs")
        found = failed(check("test"), "qido")
    assert f'url = "{server.url}"' in found.do


def test_nesting_without_end_beside_the_address(settings: Callable[..., None]):
    def answer(request: Request) -> Iterable[bytes]:
        if request.path == "/system":
            return http(b"[" * 200_000)
        return http(b"", status="404 Not Found")

    with HostileServer(answer) as server:
        settings(url=server.url)
        assert "check url" in failed(check("test"), "qido").do
        assert any(request.path == "/system" for request in server.requests)


def test_an_orthanc_without_its_plugin(settings: Callable[..., None]):
    def answer(request: Request) -> Iterable[bytes]:
        if request.path == "/system":
            return json_answer({"ApiVersion": 15, "DicomAet": "ORTHANC"})
        return http(b"", status="404 Not Found")

    with HostileServer(answer) as server:
        settings(url=server.url)
        assert "orthanc-dicomweb" in failed(check("test"), "qido").do


@pytest.mark.parametrize(
    ("said", "what"),
    [
        (http(b"", status="404 Not Found"), "404"),
        (http(b"", status="403 Forbidden"), "not allowed"),
        (http(b"<html></html>", "text/html"), "web page"),
        (http(multipart(b"no DICOM"), related()), "not a DICOM file"),
    ],
)
def test_an_object_that_does_not_come(settings: Callable[..., None], said: list[bytes], what: str):
    with HostileServer(archive(wado=said)) as server:
        settings(url=server.url)
        assert what in failed(check("test"), "wado").what


@pytest.mark.parametrize(
    ("said", "what", "do"),
    [
        (http(b"", status="403 Forbidden"), "not allowed", "right"),
        (http(b"", status="401 Unauthorized"), "refused", "user and password"),
        (http(b"", status="404 Not Found"), "404", "stow_prefix"),
        (http(b"", status="405 Method Not Allowed"), "405", "stow_prefix"),
        (http(b"", status="415 Unsupported Media Type"), "415", "administrator"),
        (http(b"", status="507 Insufficient Storage"), "507", "administrator"),
    ],
)
def test_nothing_may_be_stored(settings: Callable[..., None], said: list[bytes], what: str, do: str):
    with HostileServer(archive(stow=said)) as server:
        settings(url=server.url)
        steps = check("test")
    found = steps[-1]
    assert (found.name, found.ok) == ("stow", False)
    assert what in found.what and do in found.do, found


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "400 Bad Request", "409 Conflict"])
def test_a_store_request_that_is_understood(settings: Callable[..., None], status: str):
    with HostileServer(archive(stow=http(b"{}", status=status))) as server:
        settings(url=server.url)
        assert verdicts(check("test"))["stow"] is True


@contextlib.contextmanager
def over_tls(authority: trustme.CA) -> Iterator[HostileServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with HostileServer(archive(), tls=context) as server:
        yield server


def test_over_tls_with_the_bundle_of_the_house(settings: Callable[..., None], tmp_path: Path):
    authority = trustme.CA()
    bundle = tmp_path / "house.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with over_tls(authority) as server:
        settings(url=server.url, ca_bundle=str(bundle))
        steps = check("test")
        assert verdicts(steps) == dict.fromkeys(WEB_STEPS, True)
        assert "TLSv1.3; the certificate holds until" in steps[3].what and str(bundle) in steps[0].what
        settings(url=server.url)
        found = failed(check("test"), "tls")
    assert "ca_bundle" in found.do


def test_the_settings_themselves(
    settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    settings(url="https://pacs.example", ca_bundle=str(tmp_path / "gone.pem"))
    assert "no such file" in failed(check("test"), "settings").what
    assert "'other'" in failed(check("other"), "settings").what
    settings(url="http://pacs.example")
    assert "https" in failed(check("test"), "settings").do
    settings(url="https://pacs.example", **{"password": "x"})
    assert "keyring" in failed(check("test"), "settings").do
    monkeypatch.setenv("VEINSCAN_SETTINGS", str(tmp_path / "none.toml"))
    assert "no archive is set up" in failed(check(None), "settings").what
    assert failed(check(None, "no address"), "settings").do


def test_the_extra_that_is_not_installed(settings: Callable[..., None], monkeypatch: pytest.MonkeyPatch):
    settings(url="https://pacs.example", dimse="A@localhost:1")
    for name in [
        one for one in sys.modules if one.startswith(("veinscan.pacs.doctor_", "veinscan.pacs.web"))
    ]:
        if not name.endswith("visit"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "veinscan.pacs.transport", raising=False)
    monkeypatch.setitem(sys.modules, "dicomweb_client", None)
    monkeypatch.setitem(sys.modules, "dicomweb_client.web", None)
    found = failed(check("test"), "settings")
    assert "dicomweb_client" in found.what and "veinscan[pacs]" in found.do


def test_which_ways_there_are(settings: Callable[..., None]):
    settings(url="https://pacs.example", dimse="A@localhost:1")
    assert ways("test") == (("DICOMweb", None), ("DIMSE", "A@localhost:1"))
    assert ways("test", "B@localhost:2") == (("DIMSE", "B@localhost:2"),)
    settings(dimse="A@localhost:1")
    assert ways(None) == (("DIMSE", "A@localhost:1"),)
    assert len(ways("unknown")) == 1


# -- against a real archive -----------------------------------------------------------------------------


def test_a_real_archive_over_both_ways_and_nothing_is_left_there(orthanc: Any, archive_settings: Path):
    orthanc.empty()
    orthanc.add(an_object())
    assert verdicts(check("test")) == dict.fromkeys(WEB_STEPS, True)
    steps = check("test", orthanc.dimse)
    assert set(verdicts(steps)) == {name if name != "get" else "move" for name in DIMSE_STEPS}
    assert all(step.ok for step in steps), steps
    assert all(step.ok for step in check(None, orthanc.dimse)), "by C-GET, without settings"
    assert list(orthanc.files()) == [SOP]


def test_a_real_archive_that_wants_a_login(make_orthanc, settings, monkeypatch):
    archive = make_orthanc(login=("reader", "open-sesame-17"))
    settings(url=archive.url)
    assert "add user" in failed(check("test"), "login").do
    settings(url=archive.url, user="reader")
    monkeypatch.setenv("VEINSCAN_PACS_TEST_PASSWORD", "wrong")
    assert "login" in failed(check("test"), "login").do
    monkeypatch.setenv("VEINSCAN_PACS_TEST_PASSWORD", "open-sesame-17")
    steps = check("test")
    assert verdicts(steps) == dict.fromkeys(WEB_STEPS, True) | {"wado": None}
    assert "VEINSCAN_PACS_TEST_PASSWORD" in steps[4].what
    settings(url=f"{archive.rest}/wrong", user="reader")
    assert f'url = "{archive.url}"' in failed(check("test"), "qido").do
    archive.stop()
    assert "nothing listens" in failed(check("test"), "tcp").what


def test_a_real_archive_without_its_plugin(make_orthanc, settings):
    archive = make_orthanc(extra={"Plugins": []})
    settings(url=archive.url)
    assert "plugin" in failed(check("test"), "qido").do


def test_a_real_archive_that_does_not_know_us(make_orthanc):
    archive = make_orthanc(
        extra={"DicomModalities": {}, "DicomAlwaysAllowFind": False, "DicomAlwaysAllowGet": False}
    )
    other = archive.dimse.replace("ORTHANC", "SOMEBODY")
    found = failed(check(None, other), "association")
    assert "not called SOMEBODY" in found.what
    host, _, _ = archive.dimse.rpartition(":")
    assert "nothing listens" in failed(check(None, f"{host}:1"), "tcp").what
    http_port = archive.url.split(":")[2].split("/")[0]
    assert failed(check(None, f"{host}:{http_port}"), "association").do
    assert failed(check(None, archive.dimse), "find").do
