"""Judges clips by slots of another seed, trained without any loss on consistency.

That is not circular. A model that was trained to please a slot encoder may have learned what
pleases that encoder, so its own slots cannot say whether objects hold together. This encoder shares
with the model the frozen autoencoder and the world, and nothing else: it began from other weights,
learned from real clips alone, was never asked to keep its slots alike, and no loss, no guidance and
no choice of a model ever saw it. It reads the finished pixels as it would read any video's. What
both kinds of slots may get wrong alike is what the validation on real clips is for.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from scipy.optimize import linear_sum_assignment

from olvdm.alignment import slot_correlation, slot_presence
from olvdm.data.moving_shapes import ShapesClip
from olvdm.evaluation.bootstrap import estimate_mean
from olvdm.evaluation.object_quality import identity_switches, label_pixels, score_objects
from olvdm.evaluation.optical_flow import Flow
from olvdm.evaluation.tracker import Track, track
from olvdm.evaluation.video_quality import measure_flicker
from olvdm.pipeline import OLVDMPipeline
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder
from olvdm.video import frames_to_clip

# Agreement with the truth on real clips from which on it may judge.
NEEDED = {"foreground_ari": 0.7, "foreground_miou": 0.6, "switch_agreement": 0.7}


@dataclass(frozen=True, eq=False)
class SeenObjects:
    """What the judge's slots see in one clip.

    Attributes:
        correlation: Of the slots of every frame with those of every frame.
        masks: Share of each slot in each pixel.
        is_object: Which slots hold something in each frame, the background's left out.
    """

    correlation: Float[np.ndarray, "t t k k"]
    masks: Float[np.ndarray, "t k h w"]
    is_object: Bool[np.ndarray, "t k"]


@dataclass(frozen=True, kw_only=True)
class SlotConsistency:
    """How well the objects that the judge sees hold together; NaN where it sees none.

    Attributes:
        slot_consistency: Mean cosine of the slots of successive frames, matched; at most 1.
        slot_switches: How often an object, followed by the classical tracker, passes from one slot
            to another; also where it comes back after it was hidden.
        slot_flicker: Mean unsteadiness of the objects' appearance, area and shape.
    """

    slot_consistency: float
    slot_switches: float
    slot_flicker: float


class SlotJudge:
    """Sees the objects of any clip by slots that no model was trained against.

    Args:
        pipeline: Its frozen autoencoder makes the latents.
        slot_encoder: The independent one.
        slot_decoder: Trained along with it.
    """

    def __init__(
        self, pipeline: OLVDMPipeline, slot_encoder: SlotEncoder, slot_decoder: SlotDecoder
    ) -> None:
        self.pipeline = pipeline
        self.slot_encoder = slot_encoder.float().eval()
        self.slot_decoder = slot_decoder.float().eval()
        for network in (self.slot_encoder, self.slot_decoder):
            cast("Any", network).to(pipeline.device)  # diffusers hides its signature from types

    @torch.no_grad()
    def see(self, frames: UInt8[np.ndarray, "t h w 3"]) -> SeenObjects:
        """Find the objects of a clip.

        Args:
            frames: The clip.

        Returns:
            Slots of every video frame, compared with each other, and their masks. No loss trained
            the identities, so they are a random projection of the slots, which keeps cosines.
        """
        latents = self.pipeline.frame_latents(frames)
        encoding = self.slot_encoder(latents)
        drawing = self.slot_decoder(encoding.slots, *latents.shape[-2:])
        clip = frames_to_clip(np.ascontiguousarray(frames)).to(latents.device)
        masks = drawing.posterior_masks(clip).float()
        is_object = slot_presence(masks)[0].cpu().numpy()
        is_object[:, int(masks.sum(dim=(0, 1, 3, 4)).argmax())] = False
        correlation = slot_correlation(self.slot_encoder.identities(encoding.slots))
        return SeenObjects(correlation[0].cpu().numpy(), masks[0].cpu().numpy(), is_object)

    def measure(
        self,
        frames: UInt8[np.ndarray, "t h w 3"],
        flow: Flow | None = None,
        tracks: Sequence[Track] | None = None,
    ) -> dict[str, float]:
        """Say how well the objects of a clip hold together.

        Args:
            frames: The clip.
            flow: Its optical flow, where the caller has it already.
            tracks: Its objects by the classical tracker, likewise.

        Returns:
            The fields of ``SlotConsistency``.

        Source: method.md section 7, judge (b): switches on masks, never on slot cosine. Ours: how
        slots that come and go count.
        """
        seen = self.see(frames)
        tracks = track(frames) if tracks is None else tracks
        flicker = measure_flicker(frames, seen.masks, flow).total[seen.is_object]
        known = flicker[np.isfinite(flicker)]
        return asdict(
            SlotConsistency(
                slot_consistency=matched_cosine(seen.correlation, seen.is_object),
                slot_switches=float(told_switches(seen, tracks)) if tracks else np.nan,
                slot_flicker=float(known.mean()) if known.size else np.nan,
            )
        )


def matched_cosine(
    correlation: Float[np.ndarray, "t t k k"], is_object: Bool[np.ndarray, "t k"]
) -> float:
    """Compare the slots of successive frames, each with the one that is most like it.

    Args:
        correlation: Cosines of the slots of every frame with those of every frame.
        is_object: Which slots hold an object.

    Returns:
        Mean cosine over the pairs of frames that show any object; a slot without a partner counts
        0, so an object that is suddenly gone costs. NaN without objects.

    Source: matching by Kuhn 1955.
    """
    cosines: list[float] = []
    for frame in range(len(is_object) - 1):
        here, there = (np.flatnonzero(is_object[place]) for place in (frame, frame + 1))
        count = max(len(here), len(there))
        if count:
            likeness = correlation[frame, frame + 1][np.ix_(here, there)]
            rows, columns = linear_sum_assignment(likeness, maximize=True)
            cosines.append(float(likeness[rows, columns].sum()) / count)
    return float(np.mean(cosines)) if cosines else float("nan")


def told_switches(seen: SeenObjects, tracks: Sequence[Track]) -> int:
    """Count how often an object passes to another slot, without the truth.

    Args:
        seen: What the slots see.
        tracks: What the classical tracker sees.

    Returns:
        ``identity_switches`` with the tracker's objects in place of the true ones, so that it can
        be asked of drawn clips too. Two judges have a part in it, neither trained against.
    """
    labels = label_pixels(seen.masks)
    return identity_switches(tracked_ids(tracks, *labels.shape), labels)


def tracked_ids(tracks: Sequence[Track], num_frames: int, *size: int) -> UInt8[np.ndarray, "t h w"]:
    """Draw what the classical tracker sees as masks of objects.

    Args:
        tracks: Objects of a clip.
        num_frames: Length of the clip.
        *size: Its height and width.

    Returns:
        0 for background, the same id for one object in every frame.
    """
    ids = np.zeros((num_frames, *size), np.uint8)
    for number, one in enumerate(tracks, start=1):
        ids[one.masks] = number
    return ids


def validate_slot_judge(
    judge: SlotJudge, clips: Iterable[ShapesClip], advance: Callable[[], None]
) -> dict[str, Any]:
    """Try the judge on real clips, and say whether it may judge drawn ones.

    Args:
        judge: The judge.
        clips: Real clips with their truth.
        advance: Called after each clip.

    Returns:
        How its masks agree with the true ones, and the switches that it counts without the truth
        with those that the truth counts; the bars; and whether all are passed.

    Source: method.md section 7.
    """
    rows: list[dict[str, float]] = []
    for clip in clips:
        seen = judge.see(clip.frames)
        labels = label_pixels(seen.masks)
        scores = score_objects(clip.true_masks, labels)
        told = told_switches(seen, track(clip.frames))
        true = identity_switches(clip.true_masks, labels)
        rows.append(
            {
                # one object makes foreground ARI 1 or nearly 0, so it speaks for several alone
                "foreground_ari": scores.foreground_ari if scores.num_objects > 1 else np.nan,
                "foreground_miou": scores.foreground_miou,
                "ari": scores.ari,
                "true_switches": float(true),
                "told_switches": float(told),
                # only of clips with any: that nothing switched in the others is easily said
                "switch_agreement": float(told > 0 and true > 0) if told or true else np.nan,
            }
        )
        advance()
    found = {name: estimate_mean(np.array([row[name] for row in rows])) for name in rows[0]}
    has_masks = all(
        found[name].mean >= NEEDED[name] for name in ("foreground_ari", "foreground_miou")
    )
    has_switches = not found["switch_agreement"].mean < NEEDED["switch_agreement"]  # NaN: no switch
    return {
        "num_clips": len(rows),
        "needed": NEEDED,
        "agreement": {name: estimate.as_json() for name, estimate in found.items()},
        "may_judge": {
            "slot_consistency": has_masks,
            "slot_switches": has_masks and has_switches,
            "slot_flicker": has_masks,
        },
    }
