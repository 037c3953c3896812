"""Values of the inspector made from the clip of discs."""

from dataclasses import replace
from typing import Any

import numpy as np

from tests.unit.visualize.circles import NUM_FRAMES, World, make_world
from visualize.inspected import InspectedClip
from visualize.payload import (
    DenoisingView,
    Metric,
    Payload,
    Spread,
    Start,
    done_payload,
    packed_masks,
    sheet,
)

RUN = "0123456789abcdef"
OVER_TIME = (
    "frames",
    "alpha_masks",
    "presence",
    "assignment",
    "flicker",
    "flicker_all",
    "motion",
)


def inspected(world: World, name: str = "LVDM", **changes: Any) -> InspectedClip:
    fields: dict[str, Any] = {
        "name": name,
        "what": "trained without slots",
        "frames": world.frames,
        "alpha_masks": world.masks,
        "correlation": world.correlation,
        "presence": world.presence,
        "assignment": world.assignment,
        "flicker": world.flicker,
        "flicker_all": np.full(len(world.frames), 0.1, dtype=np.float32),
        "motion": world.motion,
        "switches": 2,
        "background": 0,
        "fps": 8.0,
    }
    return InspectedClip(**fields | changes)


def shortened(clip: InspectedClip, frames: int) -> InspectedClip:
    """Return the first frames of a clip."""
    kept = {name: getattr(clip, name)[:frames] for name in OVER_TIME}
    return replace(clip, **kept, correlation=clip.correlation[:frames, :frames])


def with_slots(num_slots: int, frames: int, side: int, seed: int = 0) -> InspectedClip:
    """Return a clip with as many slots and frames as asked for, noise for content."""
    rng = np.random.default_rng(seed)
    shares = rng.random((frames, num_slots, side, side)).astype(np.float32) ** 4
    vectors = rng.normal(size=(frames, num_slots, 8))
    unit = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    world = World(
        frames=rng.integers(0, 255, (frames, side, side, 3)).astype(np.uint8),
        masks=shares / shares.sum(axis=1, keepdims=True),
        correlation=np.einsum("tid,ujd->tuij", unit, unit).astype(np.float32),
        assignment=np.tile(np.arange(num_slots), (frames, 1)),
        presence=np.ones((frames, num_slots), dtype=bool),
        flicker=rng.random((frames, num_slots)).astype(np.float32),
        motion=rng.random(frames).astype(np.float32),
    )
    return inspected(world)


def metric(low: float, high: float, **changes: Any) -> Metric:
    spread = Spread(num_prompts=256, a=0.03, b=0.028, low=low, high=high, num_lower=180)
    fields: dict[str, Any] = {
        "id": "flicker",
        "label": "Flicker of the objects",
        "better": "lower",
        "values": (0.03, 0.02),
        "judge": "trained against",
        "spread": spread,
    }
    return Metric(**fields | changes)


def pair_payload(**fields: Any) -> Payload:
    """Return two clips side by side."""
    clips = (inspected(make_world()), inspected(make_world(1), "OLVDM"))
    given: dict[str, Any] = {"caption": "a red circle moves right", "run_id": RUN}
    given |= {"metrics": (metric(-0.004, -0.001),), "start": Start(frame=2, reason="Look here.")}
    return done_payload(clips, **given | fields)


def denoising_steps(*steps: int) -> tuple[DenoisingView, ...]:
    """Return steps whose clips are grey and whose first slot holds all."""
    world = make_world()
    masks = np.zeros_like(world.masks)
    masks[:, 1] = 1
    grey = [np.full_like(world.frames, 20 * step) for step in steps]
    return tuple(
        DenoisingView(step=step, sheets=(sheet(clip),) * 2, masks=(packed_masks(masks),) * 2)
        for step, clip in zip(steps, grey, strict=True)
    )


LAST = NUM_FRAMES - 1
