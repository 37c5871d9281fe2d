"""The networks, by the name that `fit --model` and a checkpoint's config call them; a file each.

`base.py` says what each generator must be. Colorizers colour single frames and carry nothing.
"""

from training.models.base import Generator, ImageColorizer
from training.models.convlstm import ConvLSTMUNet
from training.models.exemplar import ExemplarColorizer
from training.models.flagship import Flagship
from training.models.similarity import SimilarityUNet
from training.models.unet import ExtendedUNet, UNet
from training.models.zhang import Zhang

GENERATORS: dict[str, type[Generator]] = {
    "seeds": UNet,
    "extended": ExtendedUNet,
    "convlstm": ConvLSTMUNet,
    "similarity": SimilarityUNet,
    "flagship": Flagship,
}

COLORIZERS: dict[str, type[ImageColorizer]] = {"exemplar": ExemplarColorizer, "zhang": Zhang}
