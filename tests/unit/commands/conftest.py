from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a whole checkpoint of tiny networks, with one stored prompt."""
    from tests.tiny_networks import PROMPTS, tiny_pipeline

    folder = tmp_path_factory.mktemp("checkpoint") / "tiny"
    pipeline = tiny_pipeline()
    pipeline.store_prompts(PROMPTS[:1])
    pipeline.save_pretrained(folder, about={"data": "none"})
    return folder
