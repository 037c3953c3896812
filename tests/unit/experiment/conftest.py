from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of tiny networks, from which branches begin."""
    from tests.tiny_networks import tiny_pipeline

    folder = tmp_path_factory.mktemp("base") / "tiny"
    tiny_pipeline().save_pretrained(folder, about={"trainings": {"denoiser": {"step": 5}}})
    return folder
