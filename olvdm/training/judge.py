"""Teach the judge's network to read the attributes of real clips; no model trains against it."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from olvdm.attribute_network import ATTRIBUTES, AttributeNetwork, are_right, attribute_targets
from olvdm.data.moving_shapes import MovingShapes
from olvdm.diffusers_api import ModelMixin
from olvdm.errors import InputError
from olvdm.training.clip_source import ClipSource
from olvdm.training.config import JudgeConfig
from olvdm.training.sizes import fresh_network
from olvdm.training.stage import Batch, Stage
from olvdm.video import frames_to_clip

NUM_VALIDATION_CLIPS = 128
VALIDATION_BATCH = 16


class JudgeStage(Stage):
    """Read colours, shapes, motions and the count off clips whose truth is known.

    Args:
        config: Settings of the training.
        network: Network to go on with, or none for a fresh one.

    Raises:
        InputError: If the clips are somebody's videos, which carry no truth.

    Source: method.md section 7, the attribute network of the distances. Ours: its objective.
    """

    def __init__(self, config: JudgeConfig, network: AttributeNetwork | None = None) -> None:
        super().__init__()
        self.config = config
        if config.videos is not None:
            raise InputError(
                "the judge learns from true attributes, which videos do not carry; leave out videos"
            )
        self.clips = ClipSource(config, split="train")
        self.validation_clips = ClipSource(config, split="val", num_clips=NUM_VALIDATION_CLIPS)
        self.network = network or fresh_network(
            AttributeNetwork,
            "judge",
            "widths or feature_dim",
            widths=config.widths,
            feature_dim=config.feature_dim,
        )

    @property
    def num_examples(self) -> int:
        """The number of clips in one epoch."""
        return len(self.clips)

    def networks(self) -> Mapping[str, ModelMixin]:
        """Return the attribute network."""
        return {"attribute_network": self.network}

    def fetch(self, indices: Sequence[int]) -> Batch:
        """Read clips as frames, with what is true of them.

        Args:
            indices: Places in the data set.

        Returns:
            ``frames``, uint8 `b t h w 3`, and for each attribute which of its values are there.
        """
        return _read(self.clips, indices)

    def forward(
        self, batch: Batch, generators: Sequence[torch.Generator], progress: float
    ) -> dict[str, Float[Tensor, ""]]:
        """Return how badly the attributes of a batch are read.

        Args:
            batch: ``frames`` of the clips, and their attributes.
            generators: Not used: nothing here is random.
            progress: Not used: nothing here is ramped.

        Returns:
            The total as ``loss``, and its part for each attribute.
        """
        frames = batch["frames"]
        assert isinstance(frames, Tensor)
        logits = self.network(frames_to_clip(frames))
        targets = _targets(batch)
        parts = {
            name: F.cross_entropy(logits[name], targets[name])
            if name == "count"
            else F.binary_cross_entropy_with_logits(logits[name], targets[name])
            for name in ATTRIBUTES
        }
        return {"loss": torch.stack(list(parts.values())).sum(), **parts}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Return the share of held-out clips of which each attribute is read without any error.

        Returns:
            One share for each attribute, and their mean as ``score``.
        """
        right: dict[str, list[Tensor]] = {name: [] for name in ATTRIBUTES}
        weights = next(self.network.parameters())
        for start in range(0, NUM_VALIDATION_CLIPS, VALIDATION_BATCH):
            batch = _read(self.validation_clips, range(start, start + VALIDATION_BATCH))
            frames = batch["frames"]
            assert isinstance(frames, Tensor)
            logits = self.network(frames_to_clip(frames).to(weights))
            found = are_right({name: one.cpu() for name, one in logits.items()}, _targets(batch))
            for name, one in found.items():
                right[name].append(one)
        shares = {name: float(torch.cat(parts).mean()) for name, parts in right.items()}
        return {**shares, "score": sum(shares.values()) / len(shares)}


def _read(clips: ClipSource, indices: Sequence[int]) -> Batch:
    """Draw each clip once, for its frames and for its truth."""
    data = clips.data
    assert isinstance(data, MovingShapes)
    drawn = [data[index] for index in indices]
    targets = [attribute_targets(clip.objects) for clip in drawn]
    return {
        "frames": torch.stack([torch.from_numpy(clip.frames) for clip in drawn]),
        **{name: torch.stack([one[name] for one in targets]) for name in ATTRIBUTES},
    }


def _targets(batch: Batch) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name in ATTRIBUTES:
        values = batch[name]
        assert isinstance(values, Tensor)
        found[name] = values
    return found
