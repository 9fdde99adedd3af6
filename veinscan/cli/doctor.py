"""`veinscan doctor`: what is installed and works, and a cure for each problem."""

from __future__ import annotations

from typing import Any

from veinscan.cli.common import JsonOption
from veinscan.cli.output import Result, table


def doctor(as_json: JsonOption = False) -> Result:
    """Say what is installed and works here, and how to mend what does not."""
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
        "places": checks.places(problems),
    }
    data["problems"] = [p.as_json() for p in problems]
    data["ok"] = not any(p.matters for p in problems)
    return Result(data, "" if as_json else _text(data), 0 if data["ok"] else 1)


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
    lines.append(f"data       {data['places']['data']}")
    lines.append(f"log        {data['places']['log']}")
    lines.append("")
    if not data["problems"]:
        lines.append("Everything works.")
    for problem in data["problems"]:
        mark = "PROBLEM" if problem["matters"] else "note"
        lines.append(f"{mark}: {problem['what']}" + (f"; {problem['do']}" if problem["do"] else ""))
    return "\n".join(lines)
