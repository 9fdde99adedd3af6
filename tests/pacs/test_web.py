# ruff: noqa: SIM117 - what is expected to fail stands on a line of its own
"""The archive over DICOMweb, against a server that lies, and against a real Orthanc."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pydicom
import pytest
from hostile_server import (
    HostileServer,
    Request,
    gzip_bomb,
    http,
    json_answer,
    multipart,
    related,
    row,
)
from many_studies import make_studies

from veinscan.errors import CancelledError, PacsError
from veinscan.pacs.model import InstanceRow, StudyQuery
from veinscan.pacs.web import WebArchive
from veinscan.settings_pacs import PacsConfig

STUDY = "1.2.3"
SERIES = "1.2.3.4"


def instance(number: int = 5) -> InstanceRow:
    return InstanceRow(
        study_instance_uid=STUDY, series_instance_uid=SERIES, sop_instance_uid=f"{SERIES}.{number}"
    )


def study(number: int, **more: object) -> dict[str, object]:
    return row(StudyInstanceUID=f"{STUDY}.{number}", ModalitiesInStudy=["US"], **more)


def archive_at(server: HostileServer, **config: Any) -> WebArchive:
    return WebArchive(server.config(**config))


def studies(answer: Callable[[Request], Any], query: StudyQuery | None = None) -> Any:
    with HostileServer(answer) as server, archive_at(server) as archive:
        return archive.find_studies(query or StudyQuery())


HTML = b"<html><body>Log in, please</body></html>"


class TestSearch:
    def test_what_is_asked(self):
        query = StudyQuery(
            patient_id="A 1&x=y",
            patient_name="Übung^*",
            accession="AC#1",
            first_day=date(2024, 1, 2),
            last_day=date(2024, 3, 4),
            modality="US",
            limit=7,
        )
        with HostileServer(lambda request: json_answer([])) as server:
            with archive_at(server, qido_prefix="qido") as archive:
                assert archive.find_studies(query).rows == ()
            asked = server.requests[0]
        assert asked.path.startswith("/dicom-web/qido/studies?")
        given = parse_qs(asked.query)
        assert given["PatientID"] == ["A 1&x=y"]
        assert given["PatientName"] == ["Übung^*"]
        assert given["AccessionNumber"] == ["AC#1"]
        assert given["StudyDate"] == ["20240102-20240304"]
        assert given["ModalitiesInStudy"] == ["US"]
        assert "00201208" in given["includefield"]
        assert asked.headers["host"] == f"localhost:{server.port}"

    def test_a_row(self):
        item = row(
            StudyInstanceUID="1.2",
            StudyDate="20240506",
            StudyTime="141500.5",
            PatientName={"Alphabetic": "Übung^Anna"},
            PatientID=4711,
            PatientBirthDate="19500102",
            ModalitiesInStudy=["US", "SR"],
            NumberOfStudyRelatedInstances="12",
            NumberOfStudyRelatedSeries=2.0,
            StudyDescription=None,
        )
        (seen,) = studies(lambda request: json_answer([item])).rows
        assert (seen.on, seen.time, seen.patient_name) == (date(2024, 5, 6), "14:15", "Übung^Anna")
        assert (seen.patient_id, seen.birth_date) == ("4711", date(1950, 1, 2))
        assert (seen.modalities, seen.series, seen.instances) == (("SR", "US"), 2, 12)
        assert "Übung" not in repr(seen)

    @pytest.mark.parametrize("ignores", ["", "limit", "offset", "limit offset", "caps"])
    @pytest.mark.parametrize("held", [0, 1, 6, 7, 8, 23])
    def test_paging_with_archives_that_do_it_their_way(
        self, ignores: str, held: int, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("veinscan.pacs.web._PAGE", 4)
        monkeypatch.setattr("veinscan.pacs.web._SMALLEST_PAGE", 2)
        rows = [study(number, StudyDate=f"202401{number + 1:02d}") for number in range(held)]
        of_one = [
            row(StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES, SOPInstanceUID=f"1.{number}")
            for number in range(held)
        ]

        def answer(request: Request) -> list[bytes]:
            given = parse_qs(request.query)
            limit = held if "limit" in ignores else int(given["limit"][0])
            offset = 0 if "offset" in ignores else int(given["offset"][0])
            limit = min(limit, 3) if ignores == "caps" else limit
            return json_answer((of_one if "instances" in request.path else rows)[offset : offset + limit])

        found = studies(answer, StudyQuery(limit=7))
        assert len(found.rows) == min(held, 7)
        assert found.complete == (held <= 7)
        with HostileServer(answer) as server, archive_at(server) as archive:
            assert len(archive.find_instances(STUDY)) == held

    def test_rows_that_were_not_asked_for_are_left_out(self):
        items: list[object] = [
            study(1, StudyDate="20240101", PatientID="A"),
            study(2, StudyDate="20230101", PatientID="A"),
            study(3, StudyDate="20240101", PatientID="B"),
            row(StudyInstanceUID="1.9", ModalitiesInStudy=["CT"]),
            row(StudyInstanceUID="../../etc/passwd"),
            row(StudyInstanceUID="1" * 65),
            row(PatientID="A"),
            study(1),
            None,
            "text",
            [],
            {"0020000D": None},
            {"0020000D": {"Value": {"x": 1}}},
        ]
        found = studies(lambda r: json_answer(items), StudyQuery(patient_id="A", first_day=date(2024, 1, 1)))
        assert [one.study_instance_uid for one in found.rows] == [f"{STUDY}.1"]

    @pytest.mark.parametrize(
        "value",
        [
            None,
            True,
            -1,
            1e999,
            10**400,
            "x",
            "12abc",
            [],
            {},
            [[]],
            "\ud800",
            "a\0b\u202ec",
            "9" * 5000,
            1.5,
        ],
    )
    @pytest.mark.parametrize(
        "keyword", ["StudyDate", "PatientName", "NumberOfStudyRelatedInstances", "PatientID"]
    )
    def test_values_that_make_no_sense_do_no_harm(self, keyword: str, value: object):
        text = json.dumps([study(1) | row(**{keyword: value})])
        found = studies(lambda request: http(text.encode()))
        (seen,) = found.rows
        assert seen.on is None
        assert seen.instances is None or seen.instances >= 0
        seen.patient_name.encode()
        assert not set(seen.patient_name + seen.patient_id) & {"\0", "\u202e", "\n"}

    @pytest.mark.parametrize(
        ("answer", "word", "step"),
        [
            (lambda: http(HTML, "text/html"), "web page", "login"),
            (lambda: http(HTML, "application/json"), "web page", "login"),
            (lambda: http(b"<?xml version='1.0'?><x/>", "application/dicom+xml"), "DICOM JSON", "qido"),
            (lambda: http(b"hello", "text/plain"), "DICOM JSON", "qido"),
            (lambda: http(b"[{", "application/dicom+json"), "DICOM JSON", "qido"),
            (lambda: http(b'"text"'), "DICOM JSON", "qido"),
            (lambda: http(b"7"), "DICOM JSON", "qido"),
            (lambda: http(b"[" * 100_000), "deep|JSON", "qido"),
            (lambda: http(b'{"a":' * 100_000), "deep|JSON", "qido"),
            (lambda: http(b"[" + b"9" * 10_000 + b"]"), "DICOM JSON", "qido"),
            (lambda: http(b"[\xff\xfe]"), "DICOM JSON", "qido"),
            (lambda: http("[]".encode("utf-16")), "DICOM JSON", "qido"),
            (lambda: http(b"[" + b"{}," * 10**6 + b"{}]"), "rows", "qido"),
            (lambda: http(b"[" + b"[]," * 3 * 10**6 + b"[]]"), "too many values", "qido"),
            (lambda: http(gzip_bomb(100_000_000), Content_Encoding="gzip"), "larger than", "qido"),
        ],
        ids=lambda value: "" if callable(value) else None,
    )
    def test_answers_that_cannot_be_used(self, answer: Callable[[], list[bytes]], word: str, step: str):
        with pytest.raises(PacsError, match=word) as caught:
            studies(lambda request: answer())
        assert caught.value.step == step
        assert caught.value.__context__ is None

    def test_nothing_found(self):
        for answer in (http(status="204 No Content"), http(b""), http(b"[]"), http(b"\xef\xbb\xbf[]")):
            assert studies(lambda request, answer=answer: answer).rows == ()

    def test_a_compressed_answer_is_read(self):
        import gzip

        text = gzip.compress(json.dumps([study(1)]).encode())
        assert len(studies(lambda request: http(text, Content_Encoding="gzip")).rows) == 1

    def test_an_archive_that_does_not_heed_the_question_is_not_looked_through(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ):
        monkeypatch.setattr("veinscan.pacs.web.MAX_LOOKED_AT", 300)

        def answer(request: Request) -> list[bytes]:
            offset = int(parse_qs(request.query)["offset"][0])
            return json_answer([study(offset + n, PatientID="SECRET") for n in range(100)])

        with HostileServer(answer) as server, archive_at(server) as archive:
            found = archive.find_studies(StudyQuery(patient_id="A", limit=9))
            assert (found.rows, found.complete) == ((), False)
            assert len(server.requests) < 10
        assert "100 rows that were not asked for" in caplog.text
        assert "SECRET" not in caplog.text

    def test_a_wrong_charset_is_not_believed(self):
        text = json.dumps([study(1, PatientName={"Alphabetic": "Übung"})], ensure_ascii=False)
        (seen,) = studies(lambda r: http(text.encode(), "application/json; charset=iso-8859-1")).rows
        assert seen.patient_name == "Übung"

    def test_objects_of_other_studies_and_series_are_left_out(self):
        mine = row(StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES, SOPInstanceUID="1.7", Modality="US")
        items = [
            mine,
            row(StudyInstanceUID="9.9", SeriesInstanceUID=SERIES, SOPInstanceUID="1.8", Modality="US"),
            row(StudyInstanceUID=STUDY, SeriesInstanceUID="9.9", SOPInstanceUID="1.9", Modality="US"),
            row(StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES, SOPInstanceUID="1.10", Modality="SR"),
            row(StudyInstanceUID=STUDY, SeriesInstanceUID=SERIES),
            row(SOPInstanceUID="1.11", Modality="US"),
            mine,
        ]
        with HostileServer(lambda request: json_answer(items)) as server, archive_at(server) as archive:
            rows = archive.find_instances(STUDY, series_instance_uid=SERIES, modality="US")
            assert {one.sop_instance_uid for one in rows} == {"1.7", "1.11"}
            assert [
                one.sop_instance_uid for one in archive.find_instances(STUDY, sop_instance_uid="1.7")
            ] == ["1.7"]
        assert server.requests[0].path.startswith(f"/dicom-web/studies/{STUDY}/series/{SERIES}/instances?")

    @pytest.mark.parametrize("uid", ["", "../x", "1.2/../3", "1.2?x", "*", "1" * 65])
    def test_what_is_no_uid_is_not_asked_for(self, uid: str):
        with HostileServer(lambda request: json_answer([])) as server, archive_at(server) as archive:
            with pytest.raises(PacsError, match="not a UID"):
                archive.find_instances(uid)
            with pytest.raises(PacsError, match="not a UID"):
                archive.metadata(uid)
            assert not server.requests

    def test_stop(self):
        holder: list[HostileServer] = []
        with HostileServer(lambda request: holder[0].silence()) as server, archive_at(server) as archive:
            holder.append(server)
            with pytest.raises(CancelledError):
                archive.find_studies(StudyQuery(), stop=lambda: bool(server.requests))


class TestMetadata:
    def read(self, items: object) -> list[pydicom.Dataset]:
        with HostileServer(lambda request: json_answer(items)) as server, archive_at(server) as archive:
            return archive.metadata(STUDY)

    def test_what_can_be_read_is_and_the_rest_is_left_out(self):
        item = {
            "0020000D": {"vr": "UI", "Value": [STUDY]},
            "00080018": {"vr": "UI", "Value": ["1.7"]},
            "00280010": {"vr": "US", "Value": ["480"]},
            "00280008": {"vr": "IS", "Value": [12]},
            "00280011": {"vr": "US", "Value": ["many"]},
            "00100020": {"vr": "LO", "Value": [5]},
            "00100010": {"vr": "PN", "Value": "no list"},
            "00080008": {"vr": "ZZ", "Value": ["x"]},
            "7FE00010": {"vr": "OW", "BulkDataURI": "http://elsewhere/"},
            "00091001": {"vr": "UN", "InlineBinary": "AAAA"},
            "XXXXXXXX": {"vr": "LO"},
            "short": 7,
            "00186011": {"vr": "SQ", "Value": [{"00186024": {"vr": "US", "Value": [3]}}, "no item"]},
        }
        (seen,) = self.read([item])
        assert (seen.Rows, seen.NumberOfFrames, seen.PatientID) == (480, 12, "5")
        assert "Columns" not in seen
        assert seen.SequenceOfUltrasoundRegions[0].PhysicalUnitsXDirection == 3
        assert not any(element.tag.is_private for element in seen)

    def test_other_studies_are_left_out(self):
        items = [row(StudyInstanceUID="9.9"), row(StudyInstanceUID=STUDY), {}, 5]
        for item in items[:2]:
            item["0020000D"]["vr"] = "UI"
        assert len(self.read(items)) == 1

    def test_nesting_without_end(self):
        item: dict[str, Any] = {}
        for _ in range(300):
            item = {"00081115": {"vr": "SQ", "Value": [item]}}
        item["0020000D"] = {"vr": "UI", "Value": [STUDY]}
        assert len(self.read([item])) == 1


def part10(uid: str = f"{SERIES}.5", size: int = 500) -> bytes:
    """The smallest file of an object."""
    from io import BytesIO

    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.3.1"
    meta.MediaStorageSOPInstanceUID = uid
    data = pydicom.Dataset()
    data.SOPInstanceUID, data.StudyInstanceUID = uid, STUDY
    data.EncapsulatedDocument = bytes(size)
    data.file_meta = meta
    out = BytesIO()
    pydicom.dcmwrite(out, data, enforce_file_format=True)
    return out.getvalue()


class TestFetch:
    def one(self, answer: Callable[[Request], Any], folder: Path, **config: Any) -> Any:
        with HostileServer(answer) as server, archive_at(server, **config) as archive:
            (got,) = archive.fetch([instance()], folder)
        assert {p.name for p in folder.iterdir()} == ({got.path.name} if got.path else set())
        return got

    @pytest.mark.parametrize("length", [True, False])
    def test_bytes_as_they_came(self, tmp_path: Path, length: bool):
        whole = part10(size=600_000)
        answer = http(multipart(whole), related(), length=length)
        with HostileServer(lambda request: answer) as server, archive_at(server, wado_prefix="w") as archive:
            (got,) = archive.fetch([instance()], tmp_path)
            asked = server.requests[0]
        assert got.path.read_bytes() == whole
        assert got.size == len(whole)
        assert got.error is None
        assert asked.path == f"/dicom-web/w/studies/{STUDY}/series/{SERIES}/instances/{SERIES}.5"
        assert asked.headers["accept"] == 'multipart/related; type="application/dicom"; transfer-syntax=*'
        assert asked.headers["accept-encoding"] == "identity"

    def test_an_object_without_multipart(self, tmp_path: Path):
        assert self.one(lambda r: http(part10(), "application/dicom"), tmp_path).path

    @pytest.mark.parametrize(
        ("answer", "word"),
        [
            (lambda: http(multipart(part10("9.9")), related()), "another object"),
            (lambda: http(multipart(part10(), part10()), related()), "more than the one"),
            (lambda: http(multipart(), related()), "broke off|empty"),
            (lambda: http(multipart(b""), related()), "not a DICOM file"),
            (lambda: http(multipart(b"x" * 500), related()), "not a DICOM file"),
            (lambda: http(multipart(part10(), end=False), related()), "broke off"),
            (lambda: http(multipart(part10())[:-50], related()), "broke off"),
            (lambda: http(multipart(part10()), related("other")), "boundary"),
            (lambda: http(multipart(part10()), "multipart/related"), "boundary"),
            (lambda: http(b"{}", "application/json"), "application/json"),
            (lambda: http(part10(), ""), "no known kind"),
            (lambda: http(part10(), "doe^jane/<b>x"), "it is of no known kind"),
            (lambda: http(b"", status="204 No Content"), "empty"),
            (lambda: http(part10(), "application/dicom", length=False), "end"),
            (lambda: http(status="404 Not Found"), "404"),
            (lambda: http(status="406 Not Acceptable"), "406"),
            (lambda: http(status="500 Oops"), "500"),
            (lambda: http(b"--XyZ\r\n" + b"A: b\r\n" * 10_000, related()), "header of a part"),
            (lambda: http(b"x" * 200_000, related()), "boundary"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_is_wrong_with_one_object_is_told_of_that_one(
        self, tmp_path: Path, answer: Callable[[], list[bytes]], word: str
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("veinscan.pacs.web_fetch.MAX_OBJECT_BYTES", 2_000_000)
            got = self.one(lambda request: answer(), tmp_path)
        assert got.path is None
        import re

        assert re.search(word, str(got.error))
        assert got.error.step == "wado"

    @pytest.mark.parametrize("piece", [b"x" * 65536, b"\r\n--XyZ\r\n\r\n" * 2000, b"\r\n--XyZ" * 4000])
    def test_multipart_without_end(self, tmp_path: Path, piece: bytes, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("veinscan.pacs.web_fetch.MAX_OBJECT_BYTES", 2_000_000)

        def answer(request: Request) -> Iterator[bytes]:
            yield http(b"--XyZ\r\n\r\n", related(), length=False)[0]
            yield b"--XyZ\r\n\r\n" + part10()
            while True:
                yield piece

        got = self.one(answer, tmp_path)
        assert got.path is None
        assert not got.error.temporary

    @pytest.mark.parametrize(
        ("answer", "step"),
        [
            (lambda: http(HTML, "text/html"), "login"),
            (lambda: http(multipart(HTML, kind="text/html"), related()), "login"),
            (lambda: http(multipart(HTML), related()), "login"),
            (lambda: http(status="401 Unauthorized"), "login"),
            (lambda: http(status="503 Busy", Retry_After="9"), "wado"),
        ],
    )
    def test_what_is_wrong_with_all_of_them_is_raised(
        self, tmp_path: Path, answer: Callable[[], list[bytes]], step: str
    ):
        with HostileServer(lambda request: answer()) as server, archive_at(server) as archive:
            with pytest.raises(PacsError) as caught:
                list(archive.fetch([instance(n) for n in range(20)], tmp_path))
            assert len(server.requests) < 20
        assert caught.value.step == step
        assert not list(tmp_path.iterdir())

    def test_a_slow_trickle(self, tmp_path: Path):
        holder: list[HostileServer] = []

        def answer(request: Request) -> Iterator[bytes]:
            yield http(length=False, kind=related())[0] + b"--XyZ\r\n\r\n"
            yield from holder[0].drip(iter(lambda: b"x", None), 0.02)

        with HostileServer(answer) as server, archive_at(server, timeout_s=0.4) as archive:
            holder.append(server)
            began = time.monotonic()
            with pytest.raises(PacsError, match=r"0\.4 s"):
                list(archive.fetch([instance()], tmp_path))
            assert time.monotonic() - began < 15
        assert not list(tmp_path.iterdir())

    def test_stop_and_an_early_end_leave_nothing_half_written(self, tmp_path: Path):
        holder: list[HostileServer] = []

        def answer(request: Request) -> Iterator[bytes]:
            if request.path.endswith(".0"):
                yield from http(multipart(part10(f"{SERIES}.0")), related())
                return
            yield http(length=False, kind=related())[0] + b"--XyZ\r\n\r\n" + part10()
            yield from holder[0].silence()

        with HostileServer(answer) as server, archive_at(server) as archive:
            holder.append(server)
            with pytest.raises(CancelledError):
                rows = [instance(n) for n in range(4)]
                list(archive.fetch(rows, tmp_path, stop=lambda: len(server.requests) == 4))
            for entry in tmp_path.iterdir():
                assert entry.name == f"{SERIES}.0.dcm"
                entry.unlink()
            running = archive.fetch(rows, tmp_path)
            assert next(running).path == tmp_path / f"{SERIES}.0.dcm"
            running.close()  # whoever asked lost interest
            assert [entry.name for entry in tmp_path.iterdir()] == [f"{SERIES}.0.dcm"]

    def test_a_full_disk_is_not_blamed_on_the_archive(self, tmp_path: Path):
        from veinscan.errors import NotSavedError

        with HostileServer(lambda r: http(multipart(part10()), related())) as server:
            with archive_at(server) as archive, pytest.raises(NotSavedError):
                list(archive.fetch([instance()], tmp_path / "missing"))

    def test_a_row_with_a_path_in_its_uid_is_not_asked_for(self, tmp_path: Path):
        bad = InstanceRow(study_instance_uid=STUDY, series_instance_uid=SERIES, sop_instance_uid="../../x")
        with HostileServer(lambda r: http(multipart(part10()), related())) as server:
            with archive_at(server) as archive:
                (got,) = archive.fetch([bad], tmp_path)
            assert not server.requests
        assert "not a UID" in str(got.error)

    def test_nothing_is_nothing(self, tmp_path: Path):
        with HostileServer(lambda r: []) as server, archive_at(server) as archive:
            assert list(archive.fetch([], tmp_path)) == []


class TestFrames:
    def test_the_first_way_an_archive_takes_is_kept(self):
        def answer(request: Request) -> list[bytes]:
            if "octet-stream" in request.headers["accept"] and "*" in request.headers["accept"]:
                return http(status="406 Not Acceptable")
            kind = "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
            return http(multipart(b"\1\2\3", kind=kind), related(kind="application/octet-stream"))

        with HostileServer(answer) as server, archive_at(server) as archive:
            for index in range(3):
                frame = archive.frame(instance(), index)
                assert (frame.data, frame.transfer_syntax_uid) == (b"\1\2\3", "1.2.840.10008.1.2.1")
            paths = [request.path.rpartition("/")[2] for request in server.requests]
        assert paths[-2:] == ["2", "3"]
        assert len(paths) <= 5

    @pytest.mark.parametrize(
        ("kind", "data", "syntax"),
        [
            ("image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.51", b"x", "1.2.840.10008.1.2.4.51"),
            ('image/jpeg; transfer-syntax="1.2.840.10008.1.2.4.51"', b"x", "1.2.840.10008.1.2.4.51"),
            ("image/dicom-rle", b"x", "1.2.840.10008.1.2.5"),
            ("application/octet-stream", b"x", "1.2.840.10008.1.2.1"),
            ("image/png", b"x", ""),
        ],
    )
    def test_its_transfer_syntax(self, kind: str, data: bytes, syntax: str):
        with HostileServer(lambda r: http(multipart(data, kind=kind), related())) as server:
            with archive_at(server) as archive:
                assert archive.frame(instance(), 0).transfer_syntax_uid == syntax

    @pytest.mark.parametrize(
        "answer",
        [
            lambda: http(HTML, "text/html"),
            lambda: http(multipart(), related()),
            lambda: http(multipart(b"x", end=False), related()),
            lambda: http(status="404 Not Found"),
            lambda: http(status="400 Bad Request"),
            lambda: http(b"x" * 3_000_000, related()),
        ],
    )
    def test_what_cannot_be_used(self, answer: Callable[[], list[bytes]], monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("veinscan.pacs.web_fetch.MAX_FRAME_BYTES", 1_000_000)
        with HostileServer(lambda request: answer()) as server, archive_at(server) as archive:
            with pytest.raises(PacsError):
                archive.frame(instance(), 0)
            with pytest.raises(PacsError, match="no frame -1"):
                archive.frame(instance(), -1)


class TestStore:
    UID = f"{SERIES}.5"

    def sent(
        self, answer: Callable[[Request], Any], tmp_path: Path, count: int = 1
    ) -> tuple[Any, list[Request]]:
        files = []
        for number in range(5, 5 + count):
            path = tmp_path / f"{number}.dcm"
            path.write_bytes(part10(f"{SERIES}.{number}", 3000))
            files.append(path)
        with HostileServer(answer) as server, archive_at(server) as archive:
            return archive.store(files), server.requests

    def item(self, keyword: str, code: int | str | None = None, uid: str = UID) -> dict[str, object]:
        one = row(ReferencedSOPInstanceUID=uid)
        if code is not None:
            one |= row(FailureReason=code, WarningReason=code)
        return row(**{keyword: one})

    def test_bytes_as_they_are(self, tmp_path: Path):
        (outcome,), (request,) = self.sent(
            lambda r: json_answer(self.item("ReferencedSOPSequence")), tmp_path
        )
        assert outcome.accepted
        assert outcome.reason == ""
        whole = (tmp_path / "5.dcm").read_bytes()
        assert whole in request.body
        kind = request.headers["content-type"]
        assert kind.startswith('multipart/related; type="application/dicom"; boundary=')
        import email

        message = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
        (part,) = message.get_payload()
        assert part.get_content_type() == "application/dicom"

    @pytest.mark.parametrize(
        ("answer", "accepted", "code", "temporary", "word"),
        [
            (
                lambda s: json_answer(s.item("FailedSOPSequence", 0x0122)),
                False,
                0x0122,
                False,
                "kind of object",
            ),
            (lambda s: json_answer(s.item("FailedSOPSequence", 0xA700)), False, 0xA700, True, "resources"),
            (
                lambda s: json_answer(s.item("FailedSOPSequence", 0xA900)),
                False,
                0xA900,
                False,
                "fit its kind",
            ),
            (lambda s: json_answer(s.item("FailedSOPSequence", 0xC122)), False, 0xC122, False, "compressing"),
            (lambda s: json_answer([s.item("FailedSOPSequence", "272")]), False, 0x0110, True, "failed"),
            (lambda s: json_answer(s.item("FailedSOPSequence")), False, None, False, "no reason"),
            (lambda s: json_answer(s.item("FailedSOPSequence", 7, uid="")), False, 7, False, ""),
            (
                lambda s: json_answer(s.item("OtherFailuresSequence", 0xC000, uid="")),
                False,
                0xC000,
                False,
                "",
            ),
            (lambda s: json_answer(s.item("ReferencedSOPSequence", 0xB000)), True, 0xB000, False, "changed"),
            (
                lambda s: json_answer(s.item("FailedSOPSequence", 0x0110), status="409 Conflict"),
                False,
                0x0110,
                True,
                "failed",
            ),
            (lambda s: http(b"no", "text/plain", status="409 Conflict"), False, None, False, "no reason"),
            (lambda s: http(b"", status="202 Accepted"), True, None, False, "does not name"),
            (
                lambda s: json_answer(s.item("ReferencedSOPSequence"), status="202 A"),
                True,
                None,
                False,
                "not stored",
            ),
            (
                lambda s: json_answer(s.item("ReferencedSOPSequence", uid="9.9")),
                False,
                None,
                True,
                "other objects",
            ),
            (lambda s: http(b""), True, None, False, "does not name"),
            (lambda s: json_answer({}), True, None, False, "does not name"),
            (lambda s: http(b"hello", "text/plain"), False, None, False, "DICOM JSON"),
            (lambda s: http(b"[" * 99_999), False, None, False, "DICOM JSON"),
            (lambda s: http(b" " * 5_000_000), False, None, False, "larger"),
            (lambda s: http(gzip_bomb(50_000_000), Content_Encoding="gzip"), False, None, False, "larger"),
            (lambda s: http(status="400 Bad Request"), False, None, False, "400"),
            (lambda s: http(status="413 Too Large"), False, None, False, "413"),
            (lambda s: http(status="500 Oops"), False, None, True, "500"),
            (lambda s: [], False, None, True, "broke off"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_what_an_archive_says_of_an_object(
        self,
        tmp_path: Path,
        answer: Callable[[TestStore], list[bytes]],
        accepted: bool,
        code: int | None,
        temporary: bool,
        word: str,
    ):
        (outcome,), _ = self.sent(lambda request: answer(self), tmp_path)
        assert outcome.sop_instance_uid == self.UID
        assert (outcome.accepted, outcome.code, outcome.temporary) == (accepted, code, temporary)
        assert word in outcome.reason
        assert outcome.accepted or outcome.reason

    def test_an_answer_in_xml(self, tmp_path: Path):
        text = f"""<?xml version="1.0"?><NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">
        <DicomAttribute tag="00081198" vr="SQ" keyword="FailedSOPSequence"><Item number="1">
        <DicomAttribute tag="00081155" vr="UI"><Value number="1">{self.UID}</Value></DicomAttribute>
        <DicomAttribute tag="00081197" vr="US"><Value number="1">290</Value></DicomAttribute>
        </Item></DicomAttribute></NativeDicomModel>"""
        (outcome,), _ = self.sent(lambda r: http(text.encode(), "application/dicom+xml"), tmp_path)
        assert (outcome.accepted, outcome.code) == (False, 290)

    @pytest.mark.parametrize("encoding", ["ascii", "utf-16-le"])
    def test_xml_with_entities_is_not_read(self, tmp_path: Path, encoding: str):
        text = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'.encode(encoding)
        if encoding == "utf-16-le":
            text = '<?xml version="1.0"?>'.encode(encoding) + text
        (outcome,), _ = self.sent(lambda r: http(text, "application/dicom+xml"), tmp_path)
        assert not outcome.accepted

    def test_outcomes_come_in_the_order_of_the_files(self, tmp_path: Path):
        def answer(request: Request) -> list[bytes]:
            uid = next(f"{SERIES}.{n}" for n in range(30, 4, -1) if f"{SERIES}.{n}".encode() in request.body)
            failed = uid.endswith(("7", "12"))
            time.sleep(0.02 if failed else 0)
            return json_answer(
                self.item("FailedSOPSequence" if failed else "ReferencedSOPSequence", None, uid)
            )

        outcomes, requests = self.sent(answer, tmp_path, 10)
        assert [one.sop_instance_uid for one in outcomes] == [f"{SERIES}.{n}" for n in range(5, 15)]
        assert [one.accepted for one in outcomes] == [n not in (7, 12) for n in range(5, 15)]
        assert len(requests) <= 10

    @pytest.mark.parametrize("answer", [http(HTML, "text/html"), http(HTML), http(status="401 No")])
    def test_a_login_page_is_raised(self, tmp_path: Path, answer: list[bytes]):
        with pytest.raises(PacsError) as caught:
            self.sent(lambda request: answer, tmp_path, 20)
        assert caught.value.step == "login"

    def test_busy_is_raised_with_the_time_to_wait(self, tmp_path: Path):
        with pytest.raises(PacsError) as caught:
            self.sent(lambda request: http(status="503 Busy", Retry_After="30"), tmp_path)
        assert caught.value.retry_after_s == 30

    def test_what_was_taken_before_the_line_broke_is_known(self, tmp_path: Path):
        taken: list[int] = []

        def answer(request: Request) -> list[bytes]:
            if len(taken) == 3:
                return http(status="503 Busy")
            taken.append(request.body.count(b"DICM"))
            return json_answer({})

        outcomes, _ = self.sent(answer, tmp_path, 12)
        assert sum(one.accepted for one in outcomes) == sum(taken) < 12
        assert all(one.temporary for one in outcomes if not one.accepted)

    @pytest.mark.parametrize("how", ["refused", "conflict", "silent", "unnamed", "html in json"])
    def test_what_an_answer_to_several_leaves_open_is_asked_one_by_one(self, tmp_path: Path, how: str):
        bad = f"{SERIES}.7"

        def answer(request: Request) -> list[bytes]:
            uids = [f"{SERIES}.{n}" for n in range(5, 17) if f"{SERIES}.{n}".encode() in request.body]
            uids = [uid for uid in uids if f"{uid}\0".encode() in request.body or len(uid) > len(bad)]
            stored = row(
                ReferencedSOPSequence=[row(ReferencedSOPInstanceUID=uid) for uid in uids if uid != bad]
            )
            if bad not in uids:
                return json_answer(stored)
            if len(uids) == 1:
                return json_answer(self.item("FailedSOPSequence", 0xC000, bad))
            return {
                "refused": http(status="400 Bad Request"),
                "conflict": http(b"", status="409 Conflict"),
                "silent": json_answer(stored),
                "unnamed": json_answer(stored | self.item("OtherFailuresSequence", 0xC000, "")),
                "html in json": http(b"no JSON at all"),
            }[how]

        outcomes, requests = self.sent(answer, tmp_path, 12)
        assert [one.accepted for one in outcomes] == [n != 7 for n in range(5, 17)]
        assert outcomes[2].code == 0xC000
        assert len(requests) <= 4 + 3

    def test_files_that_are_none(self, tmp_path: Path):
        text = tmp_path / "text.dcm"
        text.write_text("hello")
        with HostileServer(lambda request: json_answer({})) as server, archive_at(server) as archive:
            missing, wrong = archive.store([tmp_path / "missing.dcm", text])
            assert archive.store([]) == ()
            assert not server.requests
        assert not missing.accepted
        assert "cannot be read" in missing.reason
        assert "not a DICOM file" in wrong.reason

    def test_stop(self, tmp_path: Path):
        path = tmp_path / "5.dcm"
        path.write_bytes(part10())
        holder: list[HostileServer] = []
        with HostileServer(lambda request: holder[0].silence()) as server, archive_at(server) as archive:
            holder.append(server)
            with pytest.raises(CancelledError):
                archive.store([path] * 9, stop=lambda: bool(server.requests))


@pytest.fixture(scope="module")
def filled(orthanc: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    made = make_studies(tmp_path_factory.mktemp("made"), 3)
    with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
        outcomes = archive.store([path for files in made.values() for path in files])
    assert all(outcome.accepted for outcome in outcomes)
    return made


class TestRealArchive:
    """Against Orthanc; many studies, kills and throughput have tests of their own."""

    def test_there_and_back_byte_for_byte(self, orthanc: Any, filled: dict[str, list[Path]], tmp_path: Path):
        with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
            found = archive.find_studies(StudyQuery())
            assert found.complete
            assert {one.study_instance_uid for one in found.rows} == set(filled)
            assert [one.on for one in found.rows] == sorted((one.on for one in found.rows), reverse=True)
            for uid, files in filled.items():
                rows = archive.find_instances(uid)
                assert len(rows) == len(files)
                got = {one.path.read_bytes() for one in archive.fetch(rows, tmp_path) if one.path}
                assert got == {path.read_bytes() for path in files}

    def test_a_search_by_name_and_day(self, orthanc: Any, filled: dict[str, list[Path]]):
        with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
            (row,) = archive.find_studies(StudyQuery(patient_name="*Nr?1")).rows
            assert row.patient_name == "Übung^Nr 1"
            assert row.instances == 5
            assert len(archive.find_studies(StudyQuery(patient_id="MANY-0-*")).rows) == 3
            assert not archive.find_studies(StudyQuery(modality="CT")).rows
            assert not archive.find_studies(StudyQuery(last_day=date(2000, 1, 1))).rows
            limited = archive.find_studies(StudyQuery(limit=2))
            assert (len(limited.rows), limited.complete) == (2, False)

    def test_metadata_and_frames_are_those_of_the_files(self, orthanc: Any, filled: dict[str, list[Path]]):
        from pydicom.encaps import get_frame

        uid, files = next(iter(filled.items()))
        with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
            metadata = {one.SOPInstanceUID: one for one in archive.metadata(uid)}
            rows = {one.sop_instance_uid: one for one in archive.find_instances(uid)}
            assert set(metadata) == set(rows)
            for path in files:
                stored = pydicom.dcmread(path)
                if "PixelData" not in stored:
                    continue
                told = metadata[stored.SOPInstanceUID]
                assert (told.Rows, told.Columns) == (stored.Rows, stored.Columns)
                last = int(stored.get("NumberOfFrames", 1)) - 1
                frame = archive.frame(rows[stored.SOPInstanceUID], last)
                syntax = stored.file_meta.TransferSyntaxUID
                if syntax.is_compressed:
                    assert frame.transfer_syntax_uid == syntax
                    assert frame.data == get_frame(stored.PixelData, last, number_of_frames=last + 1)
                else:
                    size = stored.Rows * stored.Columns * stored.SamplesPerPixel
                    assert frame.data == stored.PixelData[last * size : (last + 1) * size]
                with pytest.raises(PacsError):
                    archive.frame(rows[stored.SOPInstanceUID], last + 1)

    def test_what_it_refuses_is_told_by_object(
        self, orthanc: Any, filled: dict[str, list[Path]], tmp_path: Path
    ):
        good = next(iter(filled.values()))[0]
        cut = tmp_path / "cut.dcm"
        cut.write_bytes(good.read_bytes()[:600])
        with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
            outcomes = archive.store([good, cut, good])
        assert [one.accepted for one in outcomes] == [True, False, True]
        assert outcomes[1].reason

    def test_an_object_that_is_not_there(self, orthanc: Any, filled: dict[str, list[Path]], tmp_path: Path):
        with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
            rows = archive.find_instances(next(iter(filled)))
            (missing, *others) = archive.fetch([instance(), *rows], tmp_path)
            results = {one.instance.sop_instance_uid: one for one in (missing, *others)}
            assert results[instance().sop_instance_uid].error
            assert sum(one.path is not None for one in results.values()) == len(rows)
            assert archive.find_instances("1.2.3.4.5.6.7") == ()

    def test_it_is_gone(self, orthanc: Any):
        orthanc.stop()
        try:
            with WebArchive(PacsConfig(name="test", url=orthanc.url)) as archive:
                with pytest.raises(PacsError) as caught:
                    archive.find_studies(StudyQuery())
                assert caught.value.temporary
        finally:
            orthanc.start()


def test_a_real_archive_wants_a_login(make_orthanc: Callable[..., Any], monkeypatch: pytest.MonkeyPatch):
    archive = make_orthanc(login=("anna", "open-sesame"))
    config = PacsConfig(name="test", url=archive.url, user="anna", auth="basic")
    for password, right in (("open-sesame", True), ("wrong", False)):
        monkeypatch.setenv("VEINSCAN_PACS_TEST_PASSWORD", password)
        with WebArchive(config) as web:
            if right:
                assert web.find_studies(StudyQuery()).rows == ()
                continue
            with pytest.raises(PacsError, match="login was refused") as caught:
                web.find_studies(StudyQuery())
            assert caught.value.step == "login"
            assert "wrong" not in str(caught.value)
