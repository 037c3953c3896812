"""What all tests share: tiny models, the hypothesis profile, and no way to the network."""

import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:  # heavy, and most tests need neither
    from torch import Tensor

    from olvdm.pipeline import OLVDMPipeline

settings.register_profile(
    "olvdm",
    deadline=None,  # the first call compiles what the others reuse
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("olvdm")


def is_local(address: Any) -> bool:
    """Tell whether an address stays on this machine; names of other hosts never do."""
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def guarded(original: Callable[..., Any], check: Callable[[Any], None]) -> Callable[..., Any]:
    """Check the address, which is the last argument of every call that sends something."""

    def call(*args: Any) -> Any:
        check(args[-1])
        return original(*args)

    return call


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the browser's tests last: its event loop runs on, and others start one of their own."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def same_start() -> None:
    """Let fresh networks be the same whichever tests ran before."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fail any test that reaches for another machine, even where the code hides the refusal."""
    reached: list[str] = []

    def check(address: Any) -> None:
        if not is_local(address):
            reached.append(repr(address))
            raise OSError(f"tests must not reach {address!r}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), check))
    look_up = socket.getaddrinfo

    def checked_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        check((host.decode() if isinstance(host, bytes) else host or "", 0))
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", checked_look_up)
    yield reached
    assert not reached, f"the test reached for {reached}"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def clip() -> "Tensor":
    """Return a clip of 8 frames of 32x32: a bright square moves over a dark ramp."""
    import torch

    frames = torch.linspace(-0.8, 0.0, 32).expand(1, 3, 8, 32, 32).clone()
    for frame in range(8):
        frames[0, 0, frame, 10:20, 2 * frame + 2 : 2 * frame + 12] = 0.9
    return frames


@pytest.fixture
def tiny_pipeline() -> "OLVDMPipeline":
    from tests import tiny_networks

    return tiny_networks.tiny_pipeline()
