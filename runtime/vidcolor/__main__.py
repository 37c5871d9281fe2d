"""``python -m vidcolor`` is the command ``vidcolor``."""

import sys

from vidcolor.app import main

sys.exit(main())
