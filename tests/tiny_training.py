"""A stage that trains in milliseconds; run as a program, it is what several processes share."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config
from olvdm.training.config import AutoencoderConfig
from olvdm.training.loop import train
from olvdm.training.stage import Batch, Stage

WIDTH = 6


class TinyNetwork(ModelMixin, ConfigMixin):
    """Two layers, dropout between them, and a buffer that training changes."""

    @register_to_config
    def __init__(self, width: int = WIDTH, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Linear(width, 2 * width)
        self.drop = nn.Dropout(dropout)
        self.second = nn.Linear(2 * width, width)
        self.register_buffer("num_calls", torch.zeros(()))

    def forward(self, rows: Tensor) -> Tensor:
        if self.training:
            self.num_calls += 1
        return self.second(self.drop(self.first(rows).relu()))


class TinyStage(Stage):
    """Denoise rows; on the way it can be stopped, or meet numbers that are not finite."""

    def __init__(
        self,
        dropout: float = 0.0,
        stop_at: int | None = None,
        nan_at: Sequence[int] = (),
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.network = TinyNetwork(dropout=dropout)
        self.frozen = nn.Linear(WIDTH, WIDTH).requires_grad_(False)
        self.stop_at, self.nan_at = stop_at, nan_at
        self.step = 0
        self.losses: list[float] = []

    @property
    def num_examples(self) -> int:
        return 11

    def networks(self) -> Mapping[str, ModelMixin]:
        return {"network": self.network}

    def fetch(self, indices: Sequence[int]) -> Batch:
        rows = [torch.sin(torch.arange(float(WIDTH)) * (index + 1)) for index in indices]
        return {"rows": torch.stack(rows), "prompt": [f"row {index}" for index in indices]}

    def forward(
        self, batch: Batch, generators: Sequence[torch.Generator], progress: float
    ) -> dict[str, Tensor]:
        rows = batch["rows"]
        assert isinstance(rows, Tensor)
        noise = torch.stack([torch.randn(WIDTH, generator=one) for one in generators])
        loss = (self.network(rows + 0.3 * noise) - rows).square().mean()
        if self.step in self.nan_at:
            loss = loss * float("nan")
        if self.step == self.stop_at:
            os.kill(os.getpid(), signal.SIGTERM)
        self.step += 1
        self.losses.append(loss.item())
        return {"loss": loss, "twice": 2 * loss, "done": torch.tensor(progress)}

    def preview(self, step: int) -> dict[str, np.ndarray]:
        torch.rand(3)  # whoever shows must not disturb the training
        return {"rows": np.full((3, 8, 8, 3), step % 256, dtype=np.uint8)}

    def validate(self) -> dict[str, float]:
        with torch.no_grad():
            return {"score": -float(self.network(torch.ones(1, WIDTH)).square().mean())}


def tiny_config(**changes: object) -> AutoencoderConfig:
    """Return settings under which a step takes a millisecond."""
    settings: dict[str, object] = {
        "batch_size": 4,
        "max_steps": 12,
        "warmup_steps": 3,
        "decay_fraction": 0.3,
        "learning_rate": 1e-2,
        "precision": "no",
        "weights_dtype": "fp32",
        "log_every": 1,
        "save_every": 5,
        "preview_every": 4,
        "validate_every": 4,
        **changes,
    }
    return AutoencoderConfig(**settings)  # pyright: ignore


def main() -> None:
    """Train as one of several processes, as a launcher starts them."""
    train(TinyStage(), tiny_config(max_steps=int(sys.argv[2])), Path(sys.argv[1]))


if __name__ == "__main__":
    main()
