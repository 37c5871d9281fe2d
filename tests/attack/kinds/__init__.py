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
        "films": Kind(films.make, 24),
        "keys": Kind(keys.make, 12),
        "caches": Kind(caches.make, 12),
        "reports": Kind(reports.make, 14),
        "bundles": Kind(bundles.make, 14),
        "command-lines": Kind(command_lines.make, 12),
        "names": Kind(names.make, 5),
        "stops": Kind(stops.make, 3),
        "checkpoints": Kind(checkpoints.make, 4),
    }
)
assert sum(kind.share for kind in KINDS.values()) == 100
