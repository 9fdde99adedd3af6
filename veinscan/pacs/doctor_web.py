"""The steps of DICOMweb: is the login taken, does a search answer, does an object come, may one be stored."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from ssl import cert_time_to_seconds
from urllib.parse import urlsplit

from veinscan.errors import PacsError, VeinscanError
from veinscan.pacs.answers import HttpStatusError
from veinscan.pacs.archive import Archive
from veinscan.pacs.credentials import credentials, secret_variable
from veinscan.pacs.doctor_line import dial, resolve, secure
from veinscan.pacs.doctor_visit import (
    WEB_STEPS,
    NotTried,
    Step,
    Told,
    Visit,
    read_one,
    some_object,
    some_study,
)
from veinscan.pacs.guarded import Ask
from veinscan.pacs.model import StudyRow
from veinscan.pacs.transport import CONNECT_S, GuardedSession, tls_context
from veinscan.pacs.web import WebArchive
from veinscan.settings_pacs import PacsConfig

USUAL_ROOTS = (
    "/dicom-web",  # Orthanc
    "/orthanc/dicom-web",
    "/dcm4chee-arc/aets/DCM4CHEE/rs",
    "/dicomweb",
    "/dicom-web/rs",
)
"""Where archives usually have DICOMweb; looked at when it is not where the settings say."""

SOON_DAYS = 30
"""A certificate that ends within so many days is spoken of."""

QUESTION = b"veinscan asks whether a store request is understood; this is not an object"


class WebVisit:
    """One visit to an archive over DICOMweb."""

    def __init__(self, config: PacsConfig, told: Told | None = None) -> None:
        self._told = told
        self._config = config
        parts = urlsplit(config.url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._limit_s = min(CONNECT_S, config.timeout_s)
        self._archive: Archive | None = None
        self._study: StudyRow | None = None
        self._search_problem: PacsError | None = None

    def run(self) -> tuple[Step, ...]:
        """Every step, until one fails."""
        visit = Visit(WEB_STEPS, self._config.where, self._told)
        visit.step("settings", self._settings)
        visit.step("name", self._name)
        visit.step("tcp", self._tcp)
        visit.step("tls", self._tls)
        visit.step("login", self._login)
        visit.step("qido", self._qido)
        visit.step("wado", self._wado)
        visit.step("stow", self._stow)
        if self._archive is not None:
            self._archive.close()
        return visit.all()

    def _settings(self) -> str:
        config = self._config
        if not self._secure:
            return config.url
        self._context = tls_context(config)
        trusted = str(config.ca_bundle) if config.ca_bundle else "those of the system"
        ours = ", with a client certificate" if config.client_certificate else ""
        return f"{config.url}; trusted authorities: {trusted}{ours}"

    def _name(self) -> str:
        self._addresses = resolve(self._host, self._port, limit_s=self._limit_s)
        return f"{self._host} is {self._addresses[0][1][0]}"

    def _tcp(self) -> str:
        self._connection = dial(self._addresses, host=self._host, limit_s=self._limit_s)
        if not self._secure:
            self._connection.close()
        return f"port {self._port} answers"

    def _tls(self) -> str:
        if not self._secure:
            return "not needed: http within this machine alone"
        config = self._config
        with secure(
            self._connection,
            self._context,
            host=self._host,
            own_bundle=config.ca_bundle is not None,
            own_certificate=config.client_certificate is not None,
        ) as secured:
            version, certificate = secured.version(), secured.getpeercert() or {}
        until = datetime.fromtimestamp(cert_time_to_seconds(str(certificate["notAfter"])), UTC)
        days = (until - datetime.now(UTC)).days
        soon = f": in {days} days, have it renewed" if days < SOON_DAYS else ""
        return f"{version}; the certificate holds until {until:%Y-%m-%d}{soon}"

    def _login(self) -> str:
        try:
            login = credentials(self._config)
        except PacsError as error:
            raise self._about_login(error) from None
        self._session = GuardedSession(self._config, login)
        self._archive = WebArchive(self._config, login=login)
        try:
            self._study = some_study(self._archive)
        except PacsError as error:
            if error.step == "login" or (isinstance(error, HttpStatusError) and error.status in (401, 403)):
                raise self._about_login(error) from None
            # Whatever else it is comes out at the next step.
            self._search_problem = error
            raise NotTried("cannot be told: the search failed for another reason") from None
        return "none was asked for" if login is None else f"taken ({login.source})"

    def _about_login(self, error: PacsError) -> PacsError:
        name, do = self._config.name, error.do
        status = error.status if isinstance(error, HttpStatusError) else 0
        if status == 401 and self._config.auth == "none":
            do = f"add user to [pacs.{name}] in the settings, then run 'veinscan pacs login {name}'"
        elif status == 401:
            do = f"run 'veinscan pacs login {name}' again; if it stays so, ask for the right user or token"
        elif status == 403:
            do = "the archive knows this login: have its administrator allow it to search, read and store"
        elif "keyring" in error.what:
            do = f"set {secret_variable(self._config)}, or install a keyring (on a desktop it comes with it)"
        elif self._archive is not None:
            do = self._better_address() or do
        return PacsError(error.what, where=error.where, do=do, step="login")

    def _qido(self) -> str:
        if (error := self._search_problem) is not None:
            do = error.do
            if isinstance(error, HttpStatusError) and error.status in (404, 405, 501):
                do = self._better_address() or (
                    "check url and qido_prefix in the settings: there is no DICOMweb search at this address"
                )
            elif "redirects us" in error.what:
                do = (
                    "if that is its login page, ask the administrator for a user or a token for programs; "
                    "if the archive has moved, write the new url into the settings"
                )
            raise PacsError(error.what, where=error.where, do=do, step="qido")
        archive = self._archive
        if self._study is None or archive is None:
            return "a search answers; it shows this login no study"
        self._object = some_object(archive, self._study)
        return "a search for studies and one for objects answer"

    def _wado(self) -> str:
        if self._study is None or self._archive is None:
            raise NotTried("there is no study to read")
        return read_one(self._archive, self._object)

    def _stow(self) -> str:
        config = self._config
        boundary = secrets.token_hex(16)
        body = (
            b"--" + boundary.encode() + b"\r\nContent-Type: application/dicom\r\n\r\n" + QUESTION
            + b"\r\n--" + boundary.encode() + b"--\r\n"
        )  # fmt: skip
        headers = {
            "Content-Type": f'multipart/related; type="application/dicom"; boundary={boundary}',
            "Accept": "application/dicom+json",
        }
        root = f"{config.url}/{config.stow_prefix}" if config.stow_prefix else config.url
        try:
            with self._session.opened(
                "POST", f"{root}/studies", self._ask("stow"), data=body, headers=headers
            ) as answer:
                for _ in answer.chunks():
                    pass
        except HttpStatusError as error:
            if error.status in (404, 405, 501):
                raise PacsError(
                    error.what,
                    where=error.where,
                    do="check stow_prefix in the settings, and whether the archive allows STOW-RS",
                    step="stow",
                ) from None
            if error.status not in (400, 409, 422):
                raise
        return "a store request is understood and allowed; no object was sent, so nothing is left there"

    def _ask(self, step: str) -> Ask:
        config = self._config
        limit = config.timeout_s
        return Ask(step=step, max_bytes=2**20, seconds=limit, pause_s=limit, where=config.where)

    def _better_address(self) -> str:
        """What to write as url, where DICOMweb answers at another usual place of the same server."""
        parts = urlsplit(self._config.url)
        server = f"{parts.scheme}://{parts.netloc}"
        for root in USUAL_ROOTS:
            url = f"{server}{root}"
            if url == self._config.url:
                continue
            brief = replace(
                self._config, url=url, qido_prefix="", wado_prefix="", stow_prefix="",
                timeout_s=min(5.0, self._config.timeout_s),
            )  # fmt: skip
            try:
                with WebArchive(brief) as other:
                    some_study(other)
            except VeinscanError:
                continue
            return f'DICOMweb answers at another address: write url = "{url}" into the settings'
        if any(self._is_orthanc(f"{server}{path}") for path in _above(parts.path)):
            return (
                "this is an Orthanc whose DICOMweb plugin does not answer: install it (Debian: "
                "orthanc-dicomweb), and check Plugins and DicomWeb in its configuration"
            )
        return ""

    def _is_orthanc(self, root: str) -> bool:
        try:
            with self._session.opened("GET", f"{root}/system", self._ask("qido")) as answer:
                said = json.loads(b"".join(answer.chunks()))
        except (VeinscanError, ValueError, RecursionError):
            return False
        return isinstance(said, dict) and {"ApiVersion", "DicomAet"} <= said.keys()


def _above(path: str) -> Iterator[str]:
    """The folders above a path, the nearest first, at most four."""
    parts = [part for part in path.split("/") if part]
    for end in range(len(parts) - 1, max(-1, len(parts) - 5), -1):
        yield "".join(f"/{part}" for part in parts[:end])
