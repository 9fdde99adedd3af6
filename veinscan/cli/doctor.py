"""`veinscan doctor`: what is installed and works, and a cure for each problem."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veinscan.cli.common import JsonOption
from veinscan.cli.output import Result, table
from veinscan.cli.pacs_options import DimseOption, PacsOption

if TYPE_CHECKING:
    from veinscan.pacs.doctor import Step


def doctor(pacs: PacsOption = None, dimse: DimseOption = None, as_json: JsonOption = False) -> Result:
    """Say what is installed and works here, and how to mend what does not.

    With --pacs or --dimse: go the way to an archive step by step, and say which step fails.  Nothing is left
    there.
    """
    if pacs is not None or dimse is not None:
        return _archive(pacs, dimse, as_json)
    from veinscan import log
    from veinscan.cli import checks

    log.setup()
    problems: list[checks.Problem] = []
    data: dict[str, Any] = {
        "versions": checks.versions(problems),
        "transfer_syntaxes": checks.transfer_syntaxes(problems),
        "window": checks.window(problems),
        "tools": checks.tools(problems),
        "settings": checks.settings(problems),
        "archives": checks.archives(problems),
        "places": checks.places(problems),
    }
    data["problems"] = [p.as_json() for p in problems]
    data["ok"] = not any(p.matters for p in problems)
    return Result(data, "" if as_json else _text(data), 0 if data["ok"] else 1)


def _archive(pacs: str | None, dimse: str | None, as_json: bool) -> Result:
    from veinscan.cli.common import start

    start()
    from veinscan.pacs.doctor import check, ways

    found = [(way, check(pacs, dimse=address)) for way, address in ways(pacs, dimse)]
    ok = not any(step.ok is False for _, steps in found for step in steps)
    data = {"archive": pacs or dimse, "ok": ok, "ways": [{"way": w, "steps": s} for w, s in found]}
    return Result(data, "" if as_json else "\n\n".join(_steps_text(w, s) for w, s in found), 0 if ok else 1)


def _steps_text(way: str, steps: tuple[Step, ...]) -> str:
    words = {True: "ok", False: "FAILS", None: "-"}
    rows = [
        (step.name, words[step.ok], f"{step.seconds:.2f} s" if step.seconds else "", step.what)
        for step in steps
    ]
    lines = [table((way, "", "time", ""), rows, right=(2,))]
    lines += [f"What to do: {step.do}" for step in steps if step.ok is False and step.do]
    return "\n".join(lines)


def _text(data: dict[str, Any]) -> str:
    lines = [table(("package", "version"), list(data["versions"].items())), ""]
    rows = [(s["name"], "reads" if s["works"] else s["problem"]) for s in data["transfer_syntaxes"]]
    lines += [table(("transfer syntax", ""), rows), ""]
    window = data["window"]
    state = "can open" if window["works"] else "cannot open"
    lines.append(f"window     {state} (display: {window['display'] or 'none'})")
    found = [name for name, path in data["tools"].items() if path]
    lines.append(f"tools      {', '.join(found) or 'none'}")
    settings = data["settings"]
    lines.append(f"settings   {settings['path']}" + ("" if settings["exists"] else " (none there: defaults)"))
    for name, value in settings["values"].items():
        source = settings["sources"][name]
        if source != "default":
            lines.append(f"           {name} = {value} ({source})")
    known = data["archives"]
    if known["names"]:
        lines.append(f"archives   {', '.join(known['names'])} (tried with --pacs NAME)")
        lines.append(f"keyring    {known['keyring'] or 'none'}")
    lines.append(f"data       {data['places']['data']}")
    lines.append(f"log        {data['places']['log']}")
    lines.append("")
    if not data["problems"]:
        lines.append("Everything works.")
    for problem in data["problems"]:
        mark = "PROBLEM" if problem["matters"] else "note"
        lines.append(f"{mark}: {problem['what']}" + (f"; {problem['do']}" if problem["do"] else ""))
    return "\n".join(lines)
