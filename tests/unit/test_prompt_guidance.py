import pytest
import torch
from torch import Tensor, nn

from olvdm.denoiser import VideoDenoiser
from olvdm.errors import InputError
from olvdm.frame_conditioning import GivenLatents, nothing_given
from olvdm.generation import Generation
from olvdm.noise_schedule import SCHEDULES
from olvdm.prompt_guidance import Guidance, guidance_of, guided_prediction, prompt_agreement
from tests.tiny_networks import PROMPT_DIM, tiny_denoiser

SHAPE = (1, 4, 4, 8, 8)
RED, GREEN, NOTHING = (torch.full((1, 6, PROMPT_DIM), float(value)) for value in (1, 2, 0))


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


class Painter(VideoDenoiser):
    """Expect the picture that the prompt names, and half of each where it names none."""

    def __init__(self, pictures: dict[float, Tensor], prediction_type: str) -> None:
        nn.Module.__init__(self)
        self.weight = nn.Parameter(torch.zeros(1))
        self.schedule = SCHEDULES[prediction_type]
        self.pictures = {0.0: sum(pictures.values(), torch.zeros(SHAPE)) / 2, **pictures}

    def forward(self, noisy_latents: Tensor, timesteps: Tensor, prompt_embeds: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride]
        expected = torch.cat([self.pictures[float(one.mean())] for one in prompt_embeds])
        signal, spread = (one[:, None, :, None, None] for one in self.schedule.shares(timesteps))
        drawn = (noisy_latents - signal * expected) / spread.clamp(min=1e-6)
        return self.schedule.target(expected, drawn)


@pytest.fixture(params=sorted(SCHEDULES))
def painter(request: pytest.FixtureRequest) -> Painter:
    return Painter({1.0: noise(1, *SHAPE), 2.0: noise(2, *SHAPE)}, request.param)


def agreement(painter: Painter, shown: Tensor, asked: Tensor, given: GivenLatents | None = None):
    guidance = Guidance(asked, NOTHING, 3.0)
    return prompt_agreement(painter, shown, given or nothing_given(shown), guidance)


def test_guidance_of_one_is_the_prompt_alone() -> None:
    latents, timesteps = noise(0, 1, 4, 4, 8, 8), torch.full((1, 4), 500.0)
    with torch.no_grad():
        plain = guided_prediction(tiny_denoiser(), latents, timesteps, guidance(1.0))
        nearly = guided_prediction(tiny_denoiser(), latents, timesteps, guidance(1 + 1e-6))
    torch.testing.assert_close(plain, nearly, atol=1e-4, rtol=0)


def test_embeddings_of_another_length_are_held_against_the_prompts_of_the_model() -> None:
    short, own = noise(1, 1, 5, PROMPT_DIM), noise(2, 1, 6, PROMPT_DIM)
    with pytest.raises(InputError, match="own prompts must be equally long, got 5 and 6 tokens"):
        guidance_of(Generation(prompt_embeds=short), 0, lambda _: own, tiny_denoiser())


def guidance(scale: float) -> Guidance:
    return Guidance(noise(1, 1, 6, PROMPT_DIM), noise(2, 1, 6, PROMPT_DIM), scale)


def test_clip_agrees_with_the_prompt_that_it_shows_and_not_with_another(painter: Painter) -> None:
    red, green = painter.pictures[1.0], painter.pictures[2.0]
    assert agreement(painter, red, RED) == pytest.approx(1, abs=1e-3)
    assert agreement(painter, green, RED) < 0
    assert agreement(painter, (red + green) / 2, RED) < agreement(painter, red, RED)


def test_prompt_that_says_nothing_is_neither_agreed_with_nor_not(painter: Painter) -> None:
    assert agreement(painter, painter.pictures[1.0], NOTHING) == 0


def test_agreement_is_the_same_each_time_and_draws_from_nobody_s_generator(
    painter: Painter,
) -> None:
    before = torch.get_rng_state()
    first, second = (agreement(painter, noise(3, *SHAPE), RED) for _ in range(2))
    assert first == second
    assert torch.equal(torch.get_rng_state(), before)


def test_supplied_frames_say_nothing_of_the_agreement(painter: Painter) -> None:
    red, other = painter.pictures[1.0], noise(4, *SHAPE)
    is_given = torch.tensor([[True, True, False, False]])
    mixed = torch.where(is_given[:, None, :, None, None], other, red)
    assert agreement(painter, mixed, RED, GivenLatents(other, is_given)) == pytest.approx(
        1, abs=1e-3
    )
    all_given = GivenLatents(other, torch.ones(1, 4, dtype=torch.bool))
    assert agreement(painter, other, RED, all_given) == 0
