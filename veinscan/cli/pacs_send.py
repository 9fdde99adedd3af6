"""`veinscan pacs push`: plans into an archive, beside their study."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from veinscan.cli.common import JsonOption, start
from veinscan.cli.output import Result, count
from veinscan.cli.pacs_options import DimseOption, PacsOption
from veinscan.cli.pacs_queue import damaged_json, sending_json, sending_lines

if TYPE_CHECKING:
    from veinscan.pacs.select import LeftOut
    from veinscan.pacs.send import PushResult


def push(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="DIR_OR_FILE...", help="Study folders, or DICOM files.", show_default=False),
    ],
    drafts: Annotated[bool, typer.Option("--drafts", help="Plans that nobody made final, too.")] = False,
    images: Annotated[bool, typer.Option("--images", help="Images, too (it usually has them).")] = False,
    seg: Annotated[bool, typer.Option("--seg", help="Outlines of each plan as DICOM Segmentations.")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="The page of each plan as an encapsulated PDF.")] = False,
    deidentified: Annotated[
        bool,
        typer.Option("--deidentified", help="De-identified objects may make a study of their own there."),
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Try again, with growing waits, until nothing is unsent.")
    ] = False,
    pacs: PacsOption = None,
    dimse: DimseOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Store final plans into an archive, beside their study.

    Without --pacs a study that was pulled goes back to the archive of the settings that it came from.  Each
    object counts as stored only when the archive, asked for it, gives back the same.  What could not be sent
    stays in the queue (see 'veinscan pacs queue').  Exit code 1 when something was refused or is unsent, or
    nothing was to be sent.
    """
    settings = start()
    from veinscan.cli.interrupt import Interrupt
    from veinscan.cli.progress import Bar
    from veinscan.errors import CancelledError
    from veinscan.pacs.send import push as push_objects

    if pacs is None and dimse is None:
        pacs = _where_from(paths)
    with Interrupt() as stop, Bar("Sending") as bar:
        pushed = push_objects(
            pacs,
            paths,
            dimse=dimse,
            drafts=drafts,
            images=images,
            with_seg=seg,
            with_pdf=pdf,
            make_pdf=_page_maker(settings.page_size),
            deidentified_study=deidentified,
            wait=wait,
            stop=stop,
            progress=lambda done, total, one: bar.update(done, total),
        )
    if pushed.stopped:
        raise CancelledError(
            f"stopped; {count(len(pushed.stored), 'object')} stored, {len(pushed.unsent)} unsent",
            do="what is unsent stays in the queue: 'veinscan pacs queue --retry'",
        )
    done = bool(pushed.objects) and len(pushed.stored) == len(pushed.objects) and not pushed.damaged
    return Result(_json(pushed), "" if as_json else _text(pushed), 0 if done else 1)


def _where_from(paths: list[Path]) -> str | None:
    """The archive of the settings that all of the folders were pulled from; None where they do not agree.

    Whoever handed over a folder may have written anything into its note: nothing is sent to an address
    that only the folder names.  Raises InvalidInputError for folders pulled from an archive that the
    settings do not know so.
    """
    from veinscan.errors import InvalidInputError
    from veinscan.pacs.config import archives
    from veinscan.pacs.origin import origin_of

    origins = [origin_of(path) for path in paths if path.is_dir()]
    places = {None if one is None else (one.archive, one.dimse) for one in origins}
    if len(places) != 1 or len(origins) != len(paths) or None in places:
        return None
    ((name, dimse),) = places  # type: ignore[misc]  # None was ruled out
    config = archives().get(name)
    if config is None or dimse not in ("", config.dimse):
        raise InvalidInputError(
            "the study was pulled from an archive that the settings do not name so: nothing was sent",
            where=paths[0].name,
            do="say where it is to go to with --pacs or --dimse",
        )
    return name


def _page_maker(page_size: str) -> Any:
    def make(study: Any, record: Any, path: Path) -> object:
        from veinscan.report.write import write_report

        return write_report(study, record, path, page_size=page_size, format="dicom")

    return make


def _json(pushed: PushResult) -> dict[str, Any]:
    return {
        "archive": pushed.archive,
        "stored": len(pushed.stored),
        "refused": len(pushed.refused),
        "unsent": len(pushed.unsent),
        "objects": [sending_json(one) for one in pushed.objects],
        "left_out": [
            {
                "file": one.path,
                "sop_instance_uid": one.sop_instance_uid or None,
                "kind": one.kind,
                "count": one.count,
                "reason": one.reason,
            }
            for one in pushed.left_out
        ],
        "damaged": [damaged_json(one) for one in pushed.damaged],
    }


def _text(pushed: PushResult) -> str:
    lines = sending_lines(pushed.objects) if pushed.objects else ["Nothing was to be sent."]
    lines += _left_out_lines(pushed.left_out)
    lines += [f"DAMAGED, set aside: {one.path}: {one.reason}" for one in pushed.damaged]
    if pushed.objects:
        parts = [f"{len(pushed.stored)} stored"]
        parts += [f"{len(pushed.refused)} refused"] if pushed.refused else []
        parts += [f"{len(pushed.unsent)} unsent"] if pushed.unsent else []
        lines.append(f"{pushed.archive}: {', '.join(parts)}.")
    if pushed.unsent:
        lines.append("What is unsent stays in the queue and is tried again: 'veinscan pacs queue --retry'.")
    if pushed.refused:
        lines.append("What was refused stays in the queue: 'veinscan pacs queue' says how to go on.")
    return "\n".join(lines)


def _left_out_lines(left_out: tuple[LeftOut, ...]) -> list[str]:
    return [f"left out: {one.path}: {one.reason}" for one in left_out]
