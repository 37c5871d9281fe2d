"""``python -m vidcolor`` is the command ``vidcolor``."""

import sys

from vidcolor.cli import main

sys.exit(main())
