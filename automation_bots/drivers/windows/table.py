"""Many objects of many devices as one table, with all of them in a CSV file. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from automation_bots.drivers.windows.answer import WindowsAnswer, cell, table
from automation_bots.model import Conclusion, one_line
from automation_bots.text import csv_file

_ENOUGH = 30  # rows; fewer are shown by the recap as they are
_SHOWN = 15
_CELL = 40


def conclusion(name: str, answers: Mapping[str, WindowsAnswer], devices: Sequence[str]) -> Conclusion | None:
    """Return the table and the file, or None where the outputs are few enough to be shown as they are."""
    rows = [(device, row) for device in devices if device in answers for row in answers[device].rows]
    if len(rows) <= _ENOUGH:
        return None
    columns = tuple(dict.fromkeys(str(key) for _, row in rows for key in row))
    header = ("device", *columns)
    every = [(device, *(cell(row.get(key)) for key in columns)) for device, row in rows]
    shown = [[one_line(text, _CELL) for text in row] for row in every[:_SHOWN]]
    file = csv_file.file(name, header, every)
    many = len({device for device, _ in rows})
    text = f"{len(rows):,} objects of {many} devices, all in {file.name}; here the first {_SHOWN}."
    return Conclusion(text, table(shown, header=header), (file,))
