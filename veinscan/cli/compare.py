"""`veinscan compare`: a baseline and a follow-up, target by target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from veinscan.cli.common import (
    BaselineUidOption,
    JsonOption,
    SamePatientOption,
    check_same_patient,
    open_baseline,
    open_with_record,
    start,
)
from veinscan.cli.output import Result, WrongCallError, count, table

if TYPE_CHECKING:
    from veinscan.follow_up import Comparison, TargetComparison
    from veinscan.record.opening import Opened

_CALLS = "write 'compare BASELINE FOLLOW_UP', or 'compare FOLLOW_UP --pacs NAME'"

BaselineArgument = Annotated[
    Path,
    typer.Argument(
        metavar="BASELINE",
        help="The earlier study: a folder, a file or a zip; left out with --pacs or --dimse.",
        show_default=False,
    ),
]
FollowUpArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FOLLOW_UP", help="The later study: a folder, a file or a zip.", show_default=False
    ),
]
PacsOption = Annotated[
    str | None,
    typer.Option(
        "--pacs",
        metavar="NAME",
        help="Find the baseline in this archive of the settings: the patient's earlier study with a plan.",
        show_default=False,
    ),
]
DimseOption = Annotated[
    str | None,
    typer.Option(
        "--dimse",
        metavar="AET@HOST:PORT",
        help="The same in an archive that is asked over DIMSE.",
        show_default=False,
    ),
]


def compare(
    baseline: BaselineArgument,
    follow_up: FollowUpArgument = None,
    same_patient: SamePatientOption = False,
    baseline_uid: BaselineUidOption = None,
    study_uid: Annotated[
        str | None,
        typer.Option(
            "--study", metavar="UID", help="Which study, where FOLLOW_UP holds several.", show_default=False
        ),
    ] = None,
    pacs: PacsOption = None,
    dimse: DimseOption = None,
    as_json: JsonOption = False,
) -> Result:
    """Put what a follow-up found beside the plan, target by target; nothing is written.

    A difference is shown only where posture and landmark agree; otherwise both values and the reason.
    """
    start()
    from veinscan.record.opening import Opened

    if pacs is None and dimse is None:
        if follow_up is None:
            raise WrongCallError("a baseline and a follow-up are needed", do=_CALLS)
        before = open_baseline(baseline, baseline_uid)
        after = Opened(*open_with_record(follow_up, study_uid))
        return _compared(before, after, follow_up, None, confirmed=same_patient, as_json=as_json)
    if follow_up is not None:
        raise WrongCallError("the baseline is given, and it is to come from an archive", do=_CALLS)
    from veinscan.cli.archive_baseline import baseline_in_archive

    after = Opened(*open_with_record(baseline, study_uid))
    with baseline_in_archive(after.study, baseline_uid, pacs=pacs, dimse=dimse) as one:
        before = open_baseline(one.path, one.study_instance_uid)
        return _compared(before, after, baseline, one.archive, confirmed=same_patient, as_json=as_json)


def _compared(
    before: Opened, after: Opened, where: Path, archive: str | None, *, confirmed: bool, as_json: bool
) -> Result:
    from veinscan.follow_up import compare_studies
    from veinscan.follow_up.as_json import comparison_json

    check_same_patient(before.study, after.study, where=where, confirmed=confirmed)
    found = compare_studies(before, after, confirmed=confirmed)
    data = comparison_json(found, (before.study, before.record), (after.study, after.record))
    data["baseline"]["archive"] = archive
    return Result(data, "" if as_json else _text(found, archive))


def _text(found: Comparison, archive: str | None) -> str:
    origin = f", from the archive {archive}" if archive else ""
    lines = [
        f"Baseline  {found.baseline_study_uid} of {found.baseline_on or 'an unknown day'}{origin}",
        f"Follow-up {found.follow_up_study_uid} of {found.follow_up_on or 'an unknown day'}",
    ]
    if found.windows is not None:
        lines.append(
            f"{count(found.windows.days, 'day')} after treatment: {found.windows.clinic_words} "
            f"by the clinic's calendar, {found.windows.uip_words} by UIP's"
        )
    else:
        lines.append("Days since treatment: not known (no session with a day is recorded)")
    lines += ["", *_rows(found.targets)]
    lines += [f"New finding: {one.side.value} {one.vein}, target {one.order} of the follow-up" for one in
              found.new_findings]  # fmt: skip
    lines += ["", f"Deep veins: {found.deep_veins}"]
    lines += [f"r-VCSS, {pair.quantity.removeprefix('rvcss_')} leg: {pair.words()}" for pair in found.rvcss]
    lines += [f"Note: {text}" for text in found.warnings]
    return "\n".join(lines)


def _rows(targets: tuple[TargetComparison, ...]) -> list[str]:
    if not targets:
        return ["The baseline has no targets."]
    lines = [
        table(
            ("Target", "Outcome", "Diameter", "Reflux", "Compressible"),
            [
                (
                    row.label,
                    row.outcome.value.replace("_", " "),
                    row.diameter.short(),
                    row.reflux.short(),
                    row.compressible.short(),
                )
                for row in targets
            ],
        )
    ]
    for row in targets:
        silent: dict[str, list[str]] = {}
        for pair in row.pairs:
            if row.follow_up is not None and pair.reason and {pair.baseline, pair.follow_up} != {None}:
                silent.setdefault(pair.reason, []).append(pair.name)
        lines += [
            f"  {row.label}: no difference shown for {', '.join(names)}: {reason}"
            for reason, names in silent.items()
        ]
        if row.maybe_recanalised is not None:
            lines.append(f"  {row.label}: {row.maybe_recanalised.sentence}")
        lines += [f"  conflict: {text}" for text in row.conflicts]
    return lines
