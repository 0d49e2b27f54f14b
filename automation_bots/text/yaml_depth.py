"""How deeply YAML is nested: PyYAML's loader in C calls itself for each level, and ends the process at some depth."""

from __future__ import annotations

import yaml

DEEPEST = 500
_BEGINNERS = "[{-?:"  # each level begins with one of them


def is_deep(text: str) -> bool:
    """Whether only the slow loader may read it, which knows when to stop; what is no YAML is said by either."""
    if sum(map(text.count, _BEGINNERS)) <= DEEPEST:
        return False
    depth = 0
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                return True
    except (yaml.YAMLError, ValueError):
        return False
    return False
