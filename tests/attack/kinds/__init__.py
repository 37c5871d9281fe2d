"""The kinds of input, by name, and of how many in a hundred inputs each is."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from tests.attack.case import Case
from tests.attack.kinds import (
    bundles,
    caches,
    checkpoints,
    command_lines,
    films,
    keys,
    names,
    reports,
    stops,
)
from tests.attack.material import Material

type Make = Callable[[random.Random, Material, Path], Case]
"""Writes an input into an empty folder, which it is then run in."""


class Kind(NamedTuple):
    """A kind of input."""

    make: Make
    share: int
    """Of a hundred inputs."""


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "films": Kind(films.make, 26),
        "keys": Kind(keys.make, 10),
        "caches": Kind(caches.make, 16),
        "reports": Kind(reports.make, 12),
        "bundles": Kind(bundles.make, 12),
        "command-lines": Kind(command_lines.make, 10),
        "names": Kind(names.make, 6),
        "stops": Kind(stops.make, 4),
        "checkpoints": Kind(checkpoints.make, 4),
    }
)
assert sum(kind.share for kind in KINDS.values()) == 100
