import numpy as np
import pytest
import torch

from olvdm.embeddings import GridEmbedding, NoiseLevelEmbedding, frame_positions, sinusoids


def test_sinusoids_are_those_of_the_paper() -> None:
    values, dim, longest = np.array([0.0, 1.0, 250.5]), 6, 10_000.0
    angles = values[:, None] / longest ** (np.arange(dim // 2) / (dim // 2))
    wanted = np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)
    found = sinusoids(torch.tensor(values, dtype=torch.float32), dim, longest)
    np.testing.assert_allclose(found.numpy(), wanted, atol=2e-5)


def test_noise_levels_between_whole_numbers_differ() -> None:
    embed = NoiseLevelEmbedding(8)
    found = embed(torch.tensor([[500.0, 500.25]]))
    assert (found[0, 0] - found[0, 1]).abs().max() > 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_noise_levels_are_described_in_the_dtype_of_the_weights(dtype: torch.dtype) -> None:
    found = NoiseLevelEmbedding(8).to(dtype)(torch.tensor([[0.0, 1000.0]]))
    assert found.dtype == dtype
    assert found.isfinite().all()


def test_no_two_positions_of_a_clip_are_alike() -> None:
    places = frame_positions(8, 16, 16, 64, torch.device("cpu")).reshape(-1, 64)
    assert len(torch.unique(places, dim=0)) == 8 * 16 * 16


def test_position_does_not_depend_on_the_size_of_the_clip() -> None:
    small = frame_positions(2, 3, 4, 16, torch.device("cpu"))
    large = frame_positions(5, 6, 7, 16, torch.device("cpu"))
    assert torch.equal(large[:, :2, :3, :4], small)


def test_grid_code_is_the_distance_to_the_four_edges() -> None:
    embed = GridEmbedding(4)
    torch.nn.init.eye_(embed.project.weight)
    torch.nn.init.zeros_(embed.project.bias)
    found = embed(torch.zeros(1, 3, 5, 4))
    assert found[0, 0, 4].tolist() == [1.0, 0.0, 0.0, 1.0]  # x, y, 1 - x, 1 - y
