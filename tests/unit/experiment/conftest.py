from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint of tiny networks, from which branches begin.

    It draws pale clips: in the noise of fresh networks the tracker follows forty objects.
    """
    from tests.tiny_networks import tiny_pipeline

    folder = tmp_path_factory.mktemp("base") / "tiny"
    pipeline = tiny_pipeline()
    with torch.no_grad():
        for weights in pipeline.autoencoder.decoder.head.parameters():
            weights.mul_(0.25)
    pipeline.save_pretrained(folder, about={"trainings": {"denoiser": {"step": 5}}})
    return folder
