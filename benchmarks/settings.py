"""What every suite is told: how often to measure, on how many threads, which model, which peers."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Settings:
    """How a suite is run.

    Attributes:
        rounds: How often every case is timed.
        threads: Threads of torch.
        checkpoint: The model that is ours.
        peers: A folder with checkouts and packages of others, or none.
    """

    rounds: int = 7
    threads: int = 1
    checkpoint: Path = ROOT / "checkpoints" / "olvdm"
    peers: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the settings as JSON can hold them."""
        peers = str(self.peers) if self.peers else None
        return asdict(self) | {"checkpoint": str(self.checkpoint), "peers": peers}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "Settings":
        """Return the settings that `as_json` wrote."""
        peers = Path(values["peers"]) if values["peers"] else None
        return cls(values["rounds"], values["threads"], Path(values["checkpoint"]), peers)
