"""A model of a few thousand numbers on the disk, and settings that finish in a moment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks.settings import Settings
from tests.tiny_networks import PROMPT_DIM, PROMPTS, tiny_pipeline


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks") / "tiny"
    pipeline = tiny_pipeline()
    pipeline.prompt_embeds = {text: torch.randn(12, PROMPT_DIM) for text in ("", *PROMPTS)}
    pipeline.save_pretrained(folder)
    return folder


@pytest.fixture
def settings(checkpoint: Path, tmp_path: Path) -> Settings:
    return Settings(rounds=1, threads=1, checkpoint=checkpoint, peers=tmp_path)


@pytest.fixture(autouse=True)
def same_threads() -> Iterator[None]:
    """Give the tests that follow as many threads as before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
