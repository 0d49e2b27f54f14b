"""The process that compares sentences by meaning, in JSON lines; the model is in memory here and nowhere else.

WordLlama: 16 MB inside its own package, no download, 0.3 ms a sentence. Its loader would fetch what lies there already,
unless it is told where.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def load() -> Any:
    """The model, offline."""
    import wordllama

    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)


class Index:
    """The texts of commands as vectors."""

    def __init__(self, model: Any) -> None:
        self._model, self._names = model, list[str]()
        self._vectors: Any = None

    def take(self, entries: dict[str, list[str]]) -> None:
        """Learn what stands for what."""
        pairs = [(name, text) for name, texts in entries.items() for text in texts]
        self._names = [name for name, _ in pairs]
        self._vectors = self._model.embed([text for _, text in pairs], norm=True) if pairs else None

    def ranked(self, question: str) -> list[tuple[str, float]]:
        """The commands, the nearest first, each by the nearest of its texts."""
        if self._vectors is None:
            return []
        near = self._vectors @ self._model.embed([question], norm=True)[0]
        best: dict[str, float] = {}
        for name, score in zip(self._names, near.tolist(), strict=True):
            best[name] = max(best.get(name, -1.0), score)
        return sorted(best.items(), key=lambda one: -one[1])


def main() -> None:
    """Answer until the other side is gone."""
    index = Index(load())
    for line in sys.stdin:
        asked = json.loads(line)
        if "entries" in asked:
            index.take(asked["entries"])
        sys.stdout.write(json.dumps(index.ranked(asked["question"]) if "question" in asked else []) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
