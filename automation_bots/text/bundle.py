"""Many outputs as one file: a text as far as a person can read it, a zip of all of them beyond."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable

from automation_bots.model import File

TEXT_LIMIT = 5_000_000  # characters of one text file
_UNSAFE = re.compile(r"[^\w.-]+")


def text(name: str, outputs: Iterable[tuple[str, str]]) -> File | None:
    """Return one text with the outputs of (device, output) one after the other; None when it would be too long."""
    parts, size = [], 0
    for device, output in outputs:
        parts.append(f"── {device}\n{output}")
        size += len(parts[-1])
        if size > TEXT_LIMIT:
            return None
    return File.of_text(name, "\n".join(parts))


def zipped(name: str, outputs: Iterable[tuple[str, str]]) -> File:
    """Return a zip with one text file a device; one output at a time is in memory unpacked."""
    content, taken = io.BytesIO(), set[str]()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for device, output in outputs:
            archive.writestr(
                _free(_UNSAFE.sub("_", device).lstrip(".") or "output", taken), output.encode("utf-8", "replace")
            )
    return File(name, content.getvalue())


def _free(stem: str, taken: set[str]) -> str:
    name, number = f"{stem}.txt", 1
    while name.lower() in taken:  # the disk of the person who unpacks it may not tell A from a
        number += 1
        name = f"{stem}-{number}.txt"
    taken.add(name.lower())
    return name
