"""MovingShapes: clips of simple shapes with captions, exact masks, tracks and events."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from olvdm.data.captions import (
    PromptObject,
    describe,
    example_prompts,
    parse_prompt,
    vocabulary,
)
from olvdm.data.events import ShapesEvent, find_events, find_passings
from olvdm.data.motion import DIRECTIONS, World
from olvdm.data.rendering import render
from olvdm.data.scene import (
    COLOURS,
    HELD_OUT_PAIRS,
    LEVELS,
    SHAPES,
    TEXTURES,
    ShapesObject,
    sample_scene,
)

__all__ = [
    "COLOURS",
    "DIRECTIONS",
    "HELD_OUT_PAIRS",
    "LEVELS",
    "SHAPES",
    "SPLITS",
    "TEXTURES",
    "MovingShapes",
    "PromptObject",
    "ShapesClip",
    "ShapesEvent",
    "ShapesObject",
    "example_prompts",
    "parse_prompt",
    "vocabulary",
]

SPLITS = ("train", "val", "test")


@dataclass(frozen=True, eq=False)
class ShapesClip:
    """A clip and all that is true of it.

    Attributes:
        frames: The pixels.
        prompt: A caption that is true of the clip.
        true_masks: 0 where the background shows, i + 1 where object i is seen.
        objects: The objects; their order is that of every other field.
        tracks: Centres (x, y) in pixels, also where an object is out of sight.
        visibility: Share of each object's full area that is seen.
        events: What happens, in the order of the frames.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    prompt: str
    true_masks: UInt8[np.ndarray, "t h w"]
    objects: tuple[ShapesObject, ...]
    tracks: Float32[np.ndarray, "t n 2"]
    visibility: Float32[np.ndarray, "t n"]
    events: tuple[ShapesEvent, ...]


class MovingShapes:
    """A data set that draws each clip when it is asked for, the same one every time.

    Args:
        level: ``simple`` (one or two flat objects, straight motion), ``full`` (up to four, with
            textures, turning, bouncing, circling) or ``ood`` (five or six, with pairs of colour
            and shape that the other levels never show).
        split: ``train``, ``val`` or ``test``; no clip is in two of them.
        num_clips: Length of the data set; clip i does not depend on it.
        seed: Another seed is another world of clips.
        num_frames: Frames of a clip; motions take the whole clip, however long it is.
        height: Height in pixels; sizes scale with the shorter side.
        width: Width in pixels.

    Raises:
        ValueError: If a name is unknown or a number too small.

    Ours: the world of method.md section 5; truth about objects that no public videos carry.
    """

    def __init__(
        self,
        level: str = "full",
        split: str = "train",
        num_clips: int = 10_000,
        seed: int = 0,
        num_frames: int = 16,
        height: int = 64,
        width: int = 64,
    ) -> None:
        for name, value, allowed in (("level", level, LEVELS), ("split", split, SPLITS)):
            if value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value}")
        for name, number, least in (
            ("num_clips", num_clips, 0),
            ("seed", seed, 0),
            ("num_frames", num_frames, 1),
            ("height", height, 16),
            ("width", width, 16),
        ):
            if number < least:
                raise ValueError(f"{name} must be at least {least}, got {number}")
        self.level = level
        self.split = split
        self.num_clips = num_clips
        self.seed = seed
        self.world = World(num_frames, height, width)

    def __len__(self) -> int:
        """Count the clips."""
        return self.num_clips

    def __iter__(self) -> Iterator[ShapesClip]:
        """Draw every clip in turn."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> ShapesClip:
        """Draw one clip.

        Args:
            index: Place in the data set; negative ones count from its end.

        Returns:
            The clip.

        Raises:
            IndexError: If the data set is shorter.

        Ours: one stream of random numbers a clip, so that order and workers change nothing.
        """
        if not -self.num_clips <= index < self.num_clips:
            raise IndexError(f"index must be below {self.num_clips}, got {index}")
        place = index % self.num_clips
        names = (LEVELS.index(self.level), SPLITS.index(self.split))
        rng = np.random.Generator(
            np.random.PCG64(np.random.SeedSequence([self.seed, *names, place]))
        )
        scene = sample_scene(self.level, self.world, rng)
        rendering = render(scene, self.world)
        events = find_events(rendering, scene.objects)
        passings = find_passings(rendering, scene.objects)
        returning = sorted({event.object for event in events if event.kind == "returns"})
        return ShapesClip(
            rendering.frames,
            describe(scene.objects, passings, returning, rng),
            rendering.true_masks,
            scene.objects,
            scene.tracks,
            rendering.visibility,
            events,
        )
