"""An archive over DICOMweb: QIDO-RS, WADO-RS and STOW-RS (PS3.18).

Searches and metadata go through dicomweb-client, on our guarded session;
objects and frames are streamed on the same session, since dicomweb-client
would hold them in memory, parse them and write them anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pydicom
from dicomweb_client.web import DICOMwebClient

from veinscan.dicom.guard import MIB, clean_uid
from veinscan.errors import PacsError, VeinscanError
from veinscan.pacs.answers import unusable
from veinscan.pacs.archive import Archive, Stop
from veinscan.pacs.credentials import Credentials, credentials
from veinscan.pacs.guarded import Ask
from veinscan.pacs.model import Fetched, InstanceRow, StoreOutcome, StudyQuery, StudyRow, StudyRows
from veinscan.pacs.quiet import quiet
from veinscan.pacs.rows import answers, day_range, in_order, instance_row, latest_first, study_row
from veinscan.pacs.transport import GuardedSession
from veinscan.pacs.web_fetch import EncodedFrame, Fetcher
from veinscan.pacs.web_json import INSTANCE_FIELDS, STUDY_FIELDS, row_dataset, tag_text, whole_dataset
from veinscan.pacs.web_store import Storer
from veinscan.settings_pacs import PacsConfig

CONNECTIONS = 4
"""Requests under way at once."""
MAX_SEARCH_BYTES = 32 * MIB
MAX_METADATA_BYTES = 128 * MIB
MAX_ROWS = 100_000
MAX_LOOKED_AT = 5_000
"""Studies of an answer that are looked at in search of those that were asked for."""
_PAGE = 500
_SMALLEST_PAGE = 50
"""No archive is known to give fewer rows than this at a time; fewer are all there are."""

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")


class WebArchive(Archive):
    """The `Archive` of `veinscan.pacs.archive`, and frames one by one.  May be used from several threads."""

    can_fetch_frames = True

    def __init__(self, config: PacsConfig, *, login: Credentials | None = None) -> None:
        """Nothing is sent yet; credentials come from environment or keyring unless `login` gives them.

        Raises
        ------
        PacsError
            No credentials, an address that must not be used, or certificate files that cannot be read.
        """
        self.name = config.name
        self._config = config
        login = credentials(config) if login is None else login
        self._session = GuardedSession(config, login, connections=CONNECTIONS + 2)
        self._client = DICOMwebClient(
            config.url,
            session=self._session,
            qido_url_prefix=config.qido_prefix or None,
            wado_url_prefix=config.wado_prefix or None,
            stow_url_prefix=config.stow_prefix or None,
            permissive_uid=True,
        )
        self._client.set_http_retry_params(retry=False)  # tries again are the queue's
        quiet("dicomweb_client")
        self._fetcher = Fetcher(self._session, config, CONNECTIONS)
        self._storer = Storer(self._session, config, CONNECTIONS)

    def find_studies(self, query: StudyQuery, *, stop: Stop | None = None) -> StudyRows:
        """Studies that match, latest first (QIDO-RS, PS3.18 10.6)."""
        filters = {
            "PatientID": query.patient_id,
            "PatientName": query.patient_name,
            "AccessionNumber": query.accession,
            "StudyInstanceUID": query.study_instance_uid,
            "StudyDate": day_range(query),
            "ModalitiesInStudy": query.modality,
        }
        asked = {keyword: value for keyword, value in filters.items() if value}

        def page(limit: int, offset: int) -> Any:
            fields = [tag_text(keyword) for keyword in STUDY_FIELDS]
            return self._client.search_for_studies(
                limit=limit, offset=offset, fields=fields, search_filters=asked
            )

        found: dict[str, StudyRow] = {}

        def take(item: object) -> str:
            row = study_row(row_dataset(item, STUDY_FIELDS))
            if row is None:
                return ""
            if not answers(row, query):
                return f"-{row.study_instance_uid}"
            found.setdefault(row.study_instance_uid, row)
            return row.study_instance_uid

        # an archive that does not heed what is asked lists everything: no need to look through all of it
        most = max(MAX_LOOKED_AT, 2 * query.limit)
        whole = self._pages(page, take, lambda: len(found) > query.limit, query.limit + 1, stop, most)
        rows = latest_first(found.values())
        return StudyRows(rows[: query.limit], complete=whole and len(rows) <= query.limit)

    def find_instances(
        self,
        study_instance_uid: str,
        *,
        series_instance_uid: str = "",
        sop_instance_uid: str = "",
        modality: str = "",
        stop: Stop | None = None,
    ) -> tuple[InstanceRow, ...]:
        """Objects of one study by series and instance number; those of others are left out."""
        study = self._uid(study_instance_uid)
        series = self._uid(series_instance_uid) if series_instance_uid else None
        asked = {"SOPInstanceUID": self._uid(sop_instance_uid)} if sop_instance_uid else {}
        if modality:
            asked["Modality"] = modality

        def page(limit: int, offset: int) -> Any:
            fields = [tag_text(keyword) for keyword in INSTANCE_FIELDS]
            return self._client.search_for_instances(
                study_instance_uid=study,
                series_instance_uid=series,
                limit=limit,
                offset=offset,
                fields=fields,
                search_filters=asked,
            )

        found: dict[str, InstanceRow] = {}

        def take(item: object) -> str:
            dataset = row_dataset(item, INSTANCE_FIELDS)
            if series and "SeriesInstanceUID" not in dataset:
                dataset.SeriesInstanceUID = series  # it may be left out where the address has it
            row = instance_row(dataset, study)
            if row is None:
                return ""
            if (
                series in (None, row.series_instance_uid)
                and sop_instance_uid in ("", row.sop_instance_uid)
                and (not modality or not row.modality or row.modality == modality.upper())
            ):
                found.setdefault(row.sop_instance_uid, row)
                return row.sop_instance_uid
            return f"-{row.sop_instance_uid}"

        if not self._pages(page, take, lambda: False, MAX_ROWS, stop):
            raise unusable(
                "it lists a part of the objects and not the rest", step="qido", where=self._config.where
            )
        return in_order(found.values())

    def fetch(
        self, instances: Sequence[InstanceRow], folder: Path, *, stop: Stop | None = None
    ) -> Iterator[Fetched]:
        """Objects as the archive keeps them, into files of `folder`, in the order of arrival (WADO-RS)."""
        return self._fetcher.fetch(instances, folder, stop=stop)

    def store(self, files: Sequence[Path], *, stop: Stop | None = None) -> tuple[StoreOutcome, ...]:
        """Send files byte for byte (STOW-RS); one outcome for each, in the same order."""
        return self._storer.store(files, stop=stop)

    def metadata(self, study_uid: str, *, stop: Stop | None = None) -> list[pydicom.Dataset]:
        """Headers of all objects of a study, without bulk data; those of other studies are left out."""
        study = self._uid(study_uid)
        ask = self._session.ask("wado", max_bytes=MAX_METADATA_BYTES, stop=stop)
        items = self._asked(ask, lambda: self._client.retrieve_study_metadata(study))
        datasets = (whole_dataset(item) for item in self._list(items, "wado"))
        return [one for one in datasets if clean_uid(one.get("StudyInstanceUID")) == study]

    def frame(self, instance: InstanceRow, index: int, *, stop: Stop | None = None) -> EncodedFrame:
        """One frame as stored, `index` from 0 (WADO-RS, PS3.18 10.4.1.1.6)."""
        return self._fetcher.frame(instance, index, stop=stop)

    def close(self) -> None:
        """Give connections back."""
        self._session.close()

    def _pages(
        self,
        page: Callable[[int, int], Any],
        take: Callable[[object], str],
        enough: Callable[[], bool],
        most: int,
        stop: Stop | None,
        looked_at: int = MAX_ROWS,
    ) -> bool:
        """Ask page by page; True where the archive has given all it has.

        An archive may give fewer rows at a time than it is asked for, or all at once (it
        ignores `limit`), or the same ones again and again (it ignores `offset`): then all
        `most` are asked for at once.  `take` gives the UID of a row that it kept, one with a
        '-' before it, or none, for others.
        """
        where = self._config.where
        seen: set[str] = set()
        limit, offset, at_once = min(_PAGE, most), 0, False
        while True:
            ask = self._session.ask("qido", max_bytes=MAX_SEARCH_BYTES, stop=stop, transfer=False)
            items = self._list(self._asked(ask, lambda: page(limit, offset)), "qido")  # noqa: B023 - called at once
            before = len(seen)
            if before + len(items) > MAX_ROWS:
                raise unusable(f"it has more than {MAX_ROWS} rows", step="qido", where=where)
            new = [take(item) for item in items]
            seen.update(new)
            if strangers := sum(uid.startswith("-") or not uid for uid in new):
                _LOG.warning("an archive listed %d rows that were not asked for; left out", strangers)
            if enough() or len(seen) > looked_at:
                return False
            if len(items) < min(limit, _SMALLEST_PAGE):
                return True
            if len(seen) > before:
                offset += len(items)
            elif len(items) < limit or offset == 0:
                return True
            elif at_once:
                return False
            else:
                limit, offset, at_once = most, 0, True

    def _asked(self, ask: Ask, call: Callable[[], _T]) -> _T:
        """Call dicomweb-client; whatever it stumbles over in an answer becomes one sentence."""
        what = ""
        try:
            with self._session.asking(ask):
                return call()
        except VeinscanError:
            raise
        except RecursionError:
            what = "it is nested too deep"
        except MemoryError:
            what = "it is too large for this machine"
        except ValueError:
            what = "it is not DICOM JSON"
        except Exception as error:  # dicomweb-client is not written for answers that break the rules
            what = f"it is not DICOM JSON ({type(error).__name__})"
        # raised outside of the handler, which would show what the answer or the address holds
        raise unusable(what, step=ask.step, where=ask.where)

    def _list(self, items: object, step: str) -> list[object]:
        if isinstance(items, Mapping):
            return [items]
        if not isinstance(items, list):
            raise unusable("it is not DICOM JSON", step=step, where=self._config.where)
        return items

    def _uid(self, value: str) -> str:
        uid = clean_uid(value)
        if not uid:
            raise PacsError("this is not a UID", where=self._config.where, do="check it", step="settings")
        return uid
