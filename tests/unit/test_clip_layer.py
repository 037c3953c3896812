import pytest
import torch
from torch import Tensor, nn

from olvdm.clip_layer import CLIP_LAYERS, SlotLayer, TemporalLayer

DIM, HEADS, PROMPT_DIM = 16, 2, 8


def noise(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def stirred(kind: type[SlotLayer | TemporalLayer]) -> SlotLayer | TemporalLayer:
    """Return a layer none of whose weights is zero, so that it says something."""
    torch.manual_seed(0)
    layer = kind(DIM, HEADS, PROMPT_DIM)
    for weight in layer.parameters():
        nn.init.normal_(weight, std=0.5)
    return layer


def says(layer: nn.Module, features: Tensor, words: Tensor) -> Tensor:
    return layer(features, words)[0] - features


def test_slots_carry_an_object_to_where_it_is_in_another_frame() -> None:
    features, words = noise(0, 1, 3, 4, 4, DIM), noise(1, 1, 5, PROMPT_DIM)
    elsewhere = features.clone()
    elsewhere[:, 0, 0, 0] = noise(2, DIM)
    moved = says(stirred(SlotLayer), elsewhere, words) - says(stirred(SlotLayer), features, words)
    assert (moved[:, 2].abs().amax(-1) > 1e-6).all()  # every place of a later frame has heard of it


def test_time_alone_tells_a_place_only_of_itself() -> None:
    features, words = noise(0, 1, 3, 4, 4, DIM), noise(1, 1, 5, PROMPT_DIM)
    elsewhere = features.clone()
    elsewhere[:, 0, 0, 0] = noise(2, DIM)
    layer = stirred(TemporalLayer)
    moved = (layer(elsewhere, words)[0] - layer(features, words)[0])[0, 2].abs().amax(-1)
    assert moved[0, 0] > 1e-5
    moved[0, 0] = 0
    assert moved.max() == 0


@pytest.mark.parametrize("kind", CLIP_LAYERS.values())
def test_words_matter(kind: type[SlotLayer | TemporalLayer]) -> None:
    features, layer = noise(0, 1, 3, 4, 4, DIM), stirred(kind)
    first, second = (says(layer, features, noise(seed, 1, 5, PROMPT_DIM)) for seed in (1, 2))
    assert (first - second).abs().max() > 1e-3


@pytest.mark.parametrize("kind", CLIP_LAYERS.values())
def test_clips_of_a_batch_do_not_hear_each_other(kind: type[SlotLayer | TemporalLayer]) -> None:
    features, words, layer = noise(0, 2, 3, 4, 4, DIM), noise(1, 2, 5, PROMPT_DIM), stirred(kind)
    alone = layer(features[:1], words[:1])[0]
    torch.testing.assert_close(layer(features, words)[0][:1], alone)


def test_control_has_the_weights_of_the_slots_within_a_tenth() -> None:
    sizes = [
        sum(weight.numel() for weight in kind(256, 4, 256).parameters())
        for kind in CLIP_LAYERS.values()
    ]
    assert max(sizes) < 1.1 * min(sizes) + 1
