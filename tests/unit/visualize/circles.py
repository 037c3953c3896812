"""A small synthetic clip: discs with soft masks, one of which leaves and two of which swap."""

from dataclasses import dataclass

import numpy as np

NUM_FRAMES, NUM_SLOTS, SIDE = 6, 4, 32
SWAP_FRAME = 3
ABSENT = slice(2, 4)


@dataclass(frozen=True)
class World:
    frames: np.ndarray
    masks: np.ndarray
    correlation: np.ndarray
    assignment: np.ndarray
    presence: np.ndarray
    flicker: np.ndarray
    motion: np.ndarray


def make_masks(seed: int = 0, num_slots: int = NUM_SLOTS, side: int = SIDE) -> np.ndarray:
    """Slot 0 is the background; the others are discs that move."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    logits = np.zeros((NUM_FRAMES, num_slots, side, side), dtype=np.float32)
    for slot in range(1, num_slots):
        start, step = rng.uniform(0.25, 0.75, 2) * side, rng.uniform(-1, 1, 2)
        for frame in range(NUM_FRAMES):
            row, column = start + frame * step
            logits[frame, slot] = 0.16 * side - np.hypot(rows - row, columns - column)
    shares = np.exp(logits.clip(-8, 8))
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


def make_world(seed: int = 0) -> World:
    rng = np.random.default_rng(seed)
    masks = make_masks(seed)
    colours = rng.integers(30, 225, (NUM_SLOTS, 3))
    frames = np.einsum("tkhw,kc->thwc", masks, colours).round().astype(np.uint8)
    slots = np.linalg.qr(rng.normal(size=(8, 8)))[0][:NUM_SLOTS]
    slots = slots + 0.1 * rng.normal(size=(NUM_FRAMES, NUM_SLOTS, 8))
    slots[SWAP_FRAME:, [1, 2]] = slots[SWAP_FRAME:, [2, 1]]
    unit = slots / np.linalg.norm(slots, axis=-1, keepdims=True)
    assignment = np.tile(np.arange(NUM_SLOTS), (NUM_FRAMES, 1))
    assignment[SWAP_FRAME:, [1, 2]] = assignment[SWAP_FRAME:, [2, 1]]
    assignment[ABSENT, 3] = -1
    presence = np.ones((NUM_FRAMES, NUM_SLOTS), dtype=bool)
    presence[ABSENT, 3] = False
    flicker = rng.uniform(0, 0.2, (NUM_FRAMES, NUM_SLOTS)).astype(np.float32)
    flicker[[0, -1]] = np.nan
    flicker[4, 2] = 0.9
    return World(
        frames=frames,
        masks=masks,
        correlation=np.einsum("tid,ujd->tuij", unit, unit).astype(np.float32),
        assignment=assignment,
        presence=presence,
        flicker=flicker,
        motion=np.linspace(0.01, 0.03, NUM_FRAMES, dtype=np.float32),
    )
