"""Tables as CSV and Parquet, and the data dictionary beside them.  Rows are streamed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from veinscan.export.columns import Column
from veinscan.export.extra import installed
from veinscan.export.folder import ExportFolder
from veinscan.export.model import WrittenFile
from veinscan.export.table_columns import table_columns

FOLDER = "tables"
Parts = Callable[[], Iterable[dict[str, Any]]]

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula (CWE-1236)."""
_BATCH_ROWS = 5000


def neutral(text: str) -> str:
    """A text as a CSV cell: with an apostrophe before it where a spreadsheet would run it.

    Only for text columns: -3.2 in a column of numbers stays a number.
    """
    return "'" + text if text.startswith(RISKY) else text


def write_csv(folder: ExportFolder, parts: Parts) -> list[WrittenFile]:
    """`tables/<table>.csv` in UTF-8, comma separated, lines ended by LF (RFC 4180 quoting)."""
    return [
        write_table(
            folder, f"{FOLDER}/{name}.csv", columns, (row for part in parts() for row in part["rows"][name])
        )
        for name, columns in table_columns().items()
    ]


def write_table(
    folder: ExportFolder, path: str, columns: Sequence[Column], rows: Iterable[Sequence[Any]]
) -> WrittenFile:
    """One table as CSV."""
    temporary = _temporary(folder, path)
    with temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in columns])
        for row in rows:
            writer.writerow([_csv_cell(column, cell) for column, cell in zip(columns, row, strict=True)])
    temporary.replace(folder.root / path)
    return folder.note(path)


def _csv_cell(column: Column, cell: Any) -> str:
    if cell is None:
        return ""
    if column.kind == "text":
        return neutral(str(cell))
    if column.kind == "boolean":
        return "true" if cell else "false"
    if column.kind == "json":
        return json.dumps(cell, separators=(",", ":"), allow_nan=False)
    return repr(cell)


def write_parquet(folder: ExportFolder, parts: Parts) -> list[WrittenFile]:
    """`tables/<table>.parquet`: typed columns, lists as lists; texts as they are.

    Raises VeinscanError where pyarrow is not installed.
    """
    pa, pq = installed("pyarrow"), installed("pyarrow.parquet")
    kinds = {"text": pa.string(), "number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
    written = []
    for name, columns in table_columns().items():
        path = f"{FOLDER}/{name}.parquet"
        temporary = _temporary(folder, path)
        schema = pa.schema(
            [
                pa.field(
                    column.name,
                    kinds.get(column.kind, pa.string()),
                    metadata={"meaning": column.meaning, "unit": column.unit},
                )
                for column in columns
            ]
        )
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for rows in _batches(row for part in parts() for row in part["rows"][name]):
                arrays = [
                    pa.array([_arrow_cell(column, row[index]) for row in rows], type=schema.field(index).type)
                    for index, column in enumerate(columns)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        temporary.replace(folder.root / path)
        written.append(folder.note(path))
    return written


def _arrow_cell(column: Column, cell: Any) -> Any:
    if cell is None:
        return None
    if column.kind == "json":
        return json.dumps(cell, separators=(",", ":"), allow_nan=False)
    return float(cell) if column.kind == "number" else cell


def _batches(rows: Iterable[list[Any]]) -> Iterable[list[list[Any]]]:
    """Rows in groups, at least one (a table without rows is a table)."""
    batch: list[list[Any]] = []
    first = True
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH_ROWS:
            yield batch
            batch, first = [], False
    if batch or first:
        yield batch


def _temporary(folder: ExportFolder, path: str) -> Path:
    place = folder.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    return place.with_name(place.name + ".part")


def write_dictionary(folder: ExportFolder) -> WrittenFile:
    """`tables/data_dictionary.csv`: every column of every table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["table", "column", "type", "unit", "values", "meaning"])
    for name, columns in table_columns().items():
        for column in columns:
            writer.writerow(
                [
                    name,
                    column.name,
                    column.kind,
                    column.unit,
                    " | ".join(column.values),
                    neutral(column.meaning),
                ]
            )
    return folder.write(f"{FOLDER}/data_dictionary.csv", text.getvalue().encode("utf-8"))


def dictionary_text() -> str:
    """The data dictionary as Markdown, as docs/data-dictionary.md holds it."""
    lines = [
        "# Data dictionary",
        "",
        "Columns of the tables that `veinscan export --format csv` and `--format parquet` write, worked out",
        "from the model of the program (`python -m veinscan.export.table_files` prints this page).  An empty",
        "cell is 'not known'; it is never 'no'.  In CSV a list is JSON, true and false are words, and a text",
        "that begins like a formula has an apostrophe before it.  Points are row and column in whole-frame",
        "pixels, the centre of the top left pixel being (0, 0); frames count from 0.",
    ]
    for name, columns in table_columns().items():
        lines += ["", f"## {name}", "", "| column | type | unit | meaning |", "|---|---|---|---|"]
        for column in columns:
            words = f" One of: {', '.join(column.values)}." if column.values else ""
            meaning = (column.meaning + words).strip().replace("|", "/")
            lines.append(f"| `{column.name}` | {column.kind} | {column.unit} | {meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(dictionary_text())
