"""`python -m tests.attack`: wild inputs by the thousand, and a table of the faults."""

from __future__ import annotations

import os
import sys

import tyro

if __name__ == "__main__":
    # Before libraries start threads of their own: runs are forks, which have none of them.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from tests.attack.campaign import Attack, attack

    sys.exit(attack(tyro.cli(Attack, prog="python -m tests.attack")))
