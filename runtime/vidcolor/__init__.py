"""vidcolor carries the colours of painted key frames through a black-and-white clip.

Start reading at `vidcolor.propagate`. The modules beside it are the core, all that colour
propagation needs. What is built on it has folders of its own: `key` makes one key frame, `film`
colours a film from many, `advise` says which frames to paint, `commands` is the command line.
"""

from importlib.metadata import PackageNotFoundError, version

from vidcolor.inference.session import Session
from vidcolor.planes import Key
from vidcolor.propagate import Propagator, State, Step

try:
    __version__ = version("vidcolor")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0+unknown"

__all__ = ["Key", "Propagator", "Session", "State", "Step", "__version__"]
