"""What is done more slowly from now on, because the device cannot do it, and the one warning."""

from __future__ import annotations

import warnings

from vidcolor.errors import ProviderWarning


class Fallback:
    """Whether a slower way is taken after all. It warns once, the first time."""

    def __init__(self, warning: str) -> None:
        """warning: What is not used, and what that costs; the reason is added."""
        self.is_taken = False
        self._warning = warning

    def take(self, why: Exception) -> None:
        """Go the slower way from now on.

        Args:
            why: What went wrong, the first time.
        """
        if not self.is_taken:
            warnings.warn(f"{self._warning}: {why}", ProviderWarning, stacklevel=2)
        self.is_taken = True
