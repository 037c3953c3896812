"""Fit the slots to one clip that the training never saw, the autoencoder frozen."""

import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from olvdm.losses import mask_entropy
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder

LEARNING_RATE = 5e-4
ENTROPY_WEIGHT = 0.02
FRAMES_PER_STEP = 8  # consecutive ones, so that the carry-over is fitted too


@torch.inference_mode(False)  # what is made in that mode knows no gradients for ever
def adapt_slots(
    slot_encoder: SlotEncoder,
    slot_decoder: SlotDecoder,
    latents: Float[Tensor, "1 c t h w"],
    num_slots: int,
    num_steps: int,
    progress: Callable[[int, int, float], None] | None = None,
) -> tuple[SlotEncoder, SlotDecoder]:
    """Return copies of the slot networks that redraw this clip better.

    Args:
        slot_encoder: Trained; it stays as it is.
        slot_decoder: Likewise.
        latents: Of the clip, one latent frame for each video frame.
        num_slots: Slots per frame.
        num_steps: Steps of optimisation, at least 1.
        progress: Called as ``progress(step, num_steps, loss)`` after each step.

    Returns:
        The adapted encoder and decoder, in float32.

    Ours: test-time adaptation, since slots bind to what they have seen.
    """
    encoder = copy.deepcopy(slot_encoder).float().requires_grad_(True)
    decoder = copy.deepcopy(slot_decoder).float().requires_grad_(True)
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=LEARNING_RATE, weight_decay=0.0)
    target = latents.detach().float().clone()
    latest = max(target.shape[2] - FRAMES_PER_STEP, 0)
    for step in range(num_steps):
        start = round(latest * ((step * 0.618) % 1))  # spreads the windows evenly, without chance
        window = target[:, :, start : start + FRAMES_PER_STEP]
        with torch.enable_grad():
            encoding = encoder(window, num_slots)
            drawing = decoder(encoding.slots, *window.shape[-2:])
            loss = F.mse_loss(drawing.latents, window)
            loss = loss + ENTROPY_WEIGHT * mask_entropy(drawing.alpha_masks())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 0.5)
        optimizer.step()
        if progress is not None:
            progress(step + 1, num_steps, float(loss.detach()))
    return encoder.eval().requires_grad_(False), decoder.eval().requires_grad_(False)
