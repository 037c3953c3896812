"""Read from a clip which colours, shapes and motions are in it: the eye of a judge's distances."""

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from olvdm.data.motion import MOTIONS
from olvdm.data.scene import COLOURS, SHAPES, ShapesObject
from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config

LARGEST_COUNT = 6  # objects of a clip, on any level
# What the network tells of a clip, and the possible values of each; a clip may show several.
ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "shape": SHAPES,
    "motion": MOTIONS,
    "count": tuple(str(count) for count in range(1, LARGEST_COUNT + 1)),
}
GROUP_WIDTH = 8  # channels that are normalised together


class AttributeNetwork(ModelMixin, ConfigMixin):
    """Tell the attributes of the objects of a clip; what it sees before it tells serves distances.

    The first two stages look at every second frame on its own, where shapes are sharp; the others
    at what follows what.

    Args:
        widths: Channels of each stage, multiples of 8; each stage halves height and width.
        feature_dim: Width of the features.

    Raises:
        ValueError: If there are fewer than three stages, or a width is not a multiple of 8.

    Ours: networks that know natural videos say little about flat shapes, and a distance by their
    features says less; these features know what the world's own captions speak of. It is trained
    on real clips alone, and no loss of a model ever sees it.
    """

    @register_to_config
    def __init__(self, widths: Sequence[int] = (24, 48, 96, 128), feature_dim: int = 64) -> None:
        super().__init__()
        widths = tuple(widths)
        if len(widths) < 3 or any(width < 1 or width % GROUP_WIDTH for width in widths):
            raise ValueError(f"need at least 3 widths, multiples of {GROUP_WIDTH}, got {widths}")
        first, second, *later = widths
        self.stages = nn.Sequential(
            nn.Conv3d(3, first, (1, 5, 5), stride=2, padding=(0, 2, 2)),
            *_activated(first),
            nn.Conv3d(first, second, (1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
            *_activated(second),
            nn.Conv3d(second, second, (1, 3, 3), padding=(0, 1, 1)),
            *_activated(second),
            *(
                layer
                for place, (before, after) in enumerate(pairwise((second, *later)))
                for layer in (
                    nn.Conv3d(before, after, 3, stride=(2 if place else 1, 2, 2), padding=1),
                    *_activated(after),
                )
            ),
        )
        self.to_features = nn.Linear(2 * widths[-1], feature_dim)
        self.to_attributes = nn.Linear(feature_dim, sum(map(len, ATTRIBUTES.values())))

    def features(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b d"]:
        """Return what the network sees in each clip, in fp32.

        Args:
            clip: Pixels in [-1, 1].

        Returns:
            The features from which the attributes are read.
        """
        seen = self.stages(clip).flatten(2)
        return self.to_features(torch.cat([seen.mean(dim=2), seen.amax(dim=2)], dim=1)).float()

    def forward(self, clip: Float[Tensor, "b 3 t h w"]) -> dict[str, Float[Tensor, "b n"]]:
        """Return how sure the network is of each value of each attribute.

        Args:
            clip: Pixels in [-1, 1].

        Returns:
            Logits by the names of ``ATTRIBUTES``: of each colour, shape and motion on its own, and
            of the counts against each other.
        """
        logits = self.to_attributes(F.silu(self.features(clip))).float()
        sizes = [len(values) for values in ATTRIBUTES.values()]
        return dict(zip(ATTRIBUTES, logits.split(sizes, dim=1), strict=True))


def _activated(width: int) -> tuple[nn.Module, nn.Module]:
    return nn.GroupNorm(width // GROUP_WIDTH, width), nn.SiLU()


def attribute_targets(objects: Sequence[ShapesObject]) -> dict[str, Float[Tensor, " n"]]:
    """Return which values of each attribute are in a clip.

    Args:
        objects: Those of the clip, 1 to 6.

    Returns:
        1 for each value that is there, else 0, by the names of ``ATTRIBUTES``.
    """
    seen = {
        "colour": {one.colour for one in objects},
        "shape": {one.shape for one in objects},
        "motion": {one.motion for one in objects},
        "count": {str(len(objects))},
    }
    return {
        name: torch.tensor([float(value in seen[name]) for value in values])
        for name, values in ATTRIBUTES.items()
    }


def are_right(
    logits: dict[str, Float[Tensor, "b n"]], targets: dict[str, Float[Tensor, "b n"]]
) -> dict[str, Float[Tensor, " b"]]:
    """Say of each clip whether an attribute was read without any error.

    Args:
        logits: Of ``AttributeNetwork``.
        targets: Of ``attribute_targets``, stacked.

    Returns:
        1 where exactly the values that are there were named, else 0, by attribute.
    """
    named = {name: logits[name] > 0 for name in ("colour", "shape", "motion")}
    named["count"] = F.one_hot(logits["count"].argmax(dim=1), LARGEST_COUNT) > 0
    return {name: (named[name] == (targets[name] > 0)).all(dim=1).float() for name in ATTRIBUTES}
