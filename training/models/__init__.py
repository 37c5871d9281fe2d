"""The generators, by the name that `fit --model` and a checkpoint's config call them.

`base.py` says what each must be; a file each.
"""

from training.models.base import Generator
from training.models.convlstm import ConvLSTMUNet
from training.models.flagship import Flagship
from training.models.similarity import SimilarityUNet
from training.models.unet import ExtendedUNet, UNet

GENERATORS: dict[str, type[Generator]] = {
    "seeds": UNet,
    "extended": ExtendedUNet,
    "convlstm": ConvLSTMUNet,
    "similarity": SimilarityUNet,
    "flagship": Flagship,
}
