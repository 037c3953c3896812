"""What every network computes from weights and inputs that a formula makes.

Trained weights rely on these numbers: whoever changes them makes published checkpoints draw
something else. Run ``python -m tests.golden.networks`` to write them anew, and say why in the
commit.
"""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from olvdm.alignment import slot_correlation
from olvdm.frame_conditioning import nothing_given
from olvdm.prompt_guidance import Guidance
from olvdm.sampling import draw_latents
from tests.tiny_networks import (
    PROMPT_DIM,
    Network,
    tiny_autoencoder,
    tiny_denoiser,
    tiny_slot_decoder,
    tiny_slot_encoder,
)

NUMBERS = Path(__file__).with_name("networks.json")
NUM_SAMPLES = 12


def patterned(*shape: int, phase: float = 0.0) -> Tensor:
    """Return numbers in [-1, 1] that no random generator can change."""
    steps = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(steps * 1.7 + phase + torch.sin(steps * 0.37)).float().view(shape)


def with_pattern(network: Network) -> Network:
    """Give every weight the same kind of numbers, about as large as trained ones."""
    with torch.no_grad():
        for index, weight in enumerate(network.parameters()):
            width = weight.shape[-1] if weight.ndim > 1 else 16
            weight.copy_(patterned(*weight.shape, phase=index) * width**-0.5)
    return network.eval()


def moments() -> Tensor:
    autoencoder = with_pattern(tiny_autoencoder())
    return torch.cat(autoencoder.encode_moments(patterned(1, 3, 4, 8, 8)))


def decoded() -> Tensor:
    return with_pattern(tiny_autoencoder()).decode(patterned(1, 4, 2, 3, 3))


def velocity() -> Tensor:
    timesteps = torch.tensor([[0.0, 250.0, 1000.0]])
    latents, embeds = patterned(1, 4, 3, 4, 6), patterned(1, 5, PROMPT_DIM)
    return with_pattern(tiny_denoiser())(latents, timesteps, embeds)


def drawn() -> Tensor:
    noise, embeds = patterned(1, 4, 5, 4, 4), patterned(2, 5, PROMPT_DIM)
    denoiser = with_pattern(tiny_denoiser())
    *_, last = draw_latents(
        denoiser,
        denoiser.schedule.scheduler(),
        noise,
        nothing_given(noise),
        Guidance(embeds[:1], embeds[1:], 2.0),
        num_inference_steps=3,
    )
    return last.latents


def slots() -> Tensor:
    encoder = with_pattern(tiny_slot_encoder())
    return encoder(patterned(1, 4, 3, 4, 4), generators=[torch.Generator().manual_seed(0)]).slots


def correlation() -> Tensor:
    encoder = with_pattern(tiny_slot_encoder())
    return slot_correlation(encoder.identities(patterned(1, 3, 4, 16)))


def drawing() -> Tensor:
    found = with_pattern(tiny_slot_decoder())(patterned(1, 2, 3, 16), 3, 4)
    parts = (found.latents, found.rgb, found.alpha_masks(7, 5))
    return torch.cat([part.flatten() for part in parts])


COMPUTED: dict[str, Callable[[], Tensor]] = {
    "moments": moments,
    "decoded": decoded,
    "velocity": velocity,
    "drawn": drawn,
    "slots": slots,
    "correlation": correlation,
    "drawing": drawing,
}


@torch.no_grad()
def summary(name: str) -> list[float]:
    """Return mean, deviation and some of the numbers, spread evenly."""
    values = COMPUTED[name]().double().flatten()
    places = torch.linspace(0, len(values) - 1, NUM_SAMPLES).long()
    return [round(float(one), 6) for one in (values.mean(), values.std(), *values[places])]


def weight_names(network: nn.Module) -> list[str]:
    return sorted(network.state_dict())


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "autoencoder": tiny_autoencoder,
    "denoiser": tiny_denoiser,
    "slot_decoder": tiny_slot_decoder,
    "slot_encoder": tiny_slot_encoder,
}


def main() -> None:
    """Write the numbers and names of today."""
    record = {
        "numbers": {name: summary(name) for name in COMPUTED},
        "weights": {name: weight_names(make()) for name, make in NETWORKS.items()},
    }
    NUMBERS.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
