"""The judges that bring networks of their own: found in a folder, tried on real clips, asked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from olvdm.attribute_network import AttributeNetwork
from olvdm.checkpoint import load_network
from olvdm.data.moving_shapes import MovingShapes, ShapesClip
from olvdm.evaluation.attribute_judge import AttributeJudge, pack_features
from olvdm.evaluation.optical_flow import Flow
from olvdm.evaluation.slot_judge import SlotJudge, validate_slot_judge
from olvdm.evaluation.thumbnails import ThumbnailSpace
from olvdm.evaluation.tracker import Track
from olvdm.manifest import MANIFEST_NAME, file_sha256, verify_folder
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder

FOLDER_KIND = "judge"
FOLDER_NAME = "judge"  # beside the checkpoints that it judges
SLOTS, ATTRIBUTES = "independent_slots", "attribute_network"


class Judges:
    """Asks what judges there are, and says of the others in one line why they are not there.

    The space of the thumbnails needs no network, so it is always there. A folder that is there and
    damaged is a ``CheckpointError``.

    Args:
        folder: Of the judges, as ``olvdm package --judge`` writes it; none has no judge.
        pipeline: The model whose clips are judged; its frozen autoencoder makes the latents.
        training_clips: Real clips among which the nearest to each drawn one is sought.
        other_clips: As many real clips as there are prompts, which are not those of the prompts.
    """

    def __init__(
        self,
        folder: Path | None,
        pipeline: OLVDMPipeline,
        training_clips: MovingShapes,
        other_clips: MovingShapes,
    ) -> None:
        self.sha256: str | None = None
        self.space = ThumbnailSpace(training_clips, other_clips)
        self.slots: SlotJudge | None = None
        self.attributes: AttributeJudge | None = None
        self.absent: dict[str, str] = dict.fromkeys(
            (SLOTS, ATTRIBUTES), "no folder of judges was given or lies beside the checkpoint"
        )
        if folder is None:
            return
        verify_folder(folder, FOLDER_KIND)
        self.sha256 = file_sha256(folder / MANIFEST_NAME)
        self.absent = dict.fromkeys(self.absent, "the folder of judges does not hold it")
        if (folder / "attribute_network").is_dir():
            network = load_network(folder / "attribute_network", AttributeNetwork)
            self.attributes = AttributeJudge(network, training_clips, other_clips, pipeline.device)
            del self.absent[ATTRIBUTES]
        if (folder / "slot_encoder").is_dir():
            self._take_slots(folder, pipeline)

    @property
    def num_judges(self) -> int:
        """How many there are."""
        return (self.slots is not None) + (self.attributes is not None)

    def measure(
        self,
        frames: UInt8[np.ndarray, "t h w 3"],
        flow: Flow | None = None,
        tracks: Sequence[Track] | None = None,
    ) -> tuple[dict[str, float], str]:
        """Let every judge measure one clip.

        Args:
            frames: The clip.
            flow: Its optical flow, where the caller has it already.
            tracks: Its objects by the classical tracker, likewise.

        Returns:
            Measures by name, of the judges that are there; and the clip's features as text, empty
            without the attribute network.
        """
        found: dict[str, float] = {}
        features = ""
        if self.slots:
            found |= self.slots.measure(frames, flow, tracks)
        if self.attributes:
            seen = self.attributes.features([frames])[0]
            found |= self.attributes.measure(seen)
            features = pack_features(seen)
        return found, features

    def validate(
        self, clips: Iterable[ShapesClip], advance: Callable[[], None]
    ) -> dict[str, dict[str, Any]]:
        """Try every judge on real clips.

        Args:
            clips: Real clips with their truth; they are gone through once for each judge.
            advance: Called after each clip of each judge.

        Returns:
            By judge its agreement with the truth, the bars and what it may judge; or, under
            ``absent``, why it is not there.
        """
        found: dict[str, dict[str, Any]] = {
            name: {"absent": reason} for name, reason in self.absent.items()
        }
        if self.slots:
            found[SLOTS] = validate_slot_judge(self.slots, clips, advance)
        if self.attributes:
            found[ATTRIBUTES] = self.attributes.validate(clips, advance)
        return found

    def _take_slots(self, folder: Path, pipeline: OLVDMPipeline) -> None:
        """Load the independent slots, where they read the latents of this model."""
        encoder = load_network(folder / "slot_encoder", SlotEncoder)
        channels = pipeline.autoencoder.latent_channels
        if encoder.config["latent_channels"] != channels:
            self.absent[SLOTS] = (
                f"it reads latents of {encoder.config['latent_channels']} channels, and the "
                f"checkpoint's have {channels}"
            )
            return
        decoder = load_network(folder / "slot_decoder", SlotDecoder)
        self.slots = SlotJudge(pipeline, encoder, decoder)
        del self.absent[SLOTS]


def find_judges(folder: Path | None, checkpoint: Path) -> Path | None:
    """Return the folder of judges to ask.

    Args:
        folder: The one that was given, if any.
        checkpoint: The checkpoint to judge.

    Returns:
        That folder, else ``judge`` beside the checkpoint where there is one.
    """
    beside = checkpoint.resolve().parent / FOLDER_NAME
    if folder is None and (beside / MANIFEST_NAME).is_file():
        return beside
    return folder


def judged_measures(validity: Mapping[str, Mapping[str, Any]]) -> dict[str, bool]:
    """Return which measures may be reported of drawn clips.

    Args:
        validity: Of ``Judges.validate``.

    Returns:
        Whether each judge passed its bar, by measure; absent judges measure nothing.
    """
    return {
        name: allowed
        for one in validity.values()
        for name, allowed in one.get("may_judge", {}).items()
    }
