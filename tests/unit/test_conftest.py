import contextlib
import socket

import pytest

from tests.conftest import is_local


def test_another_machine_is_out_of_reach(no_network: list[str]) -> None:
    with pytest.raises(OSError, match="must not reach"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    no_network.clear()


def test_names_of_other_machines_are_not_looked_up(no_network: list[str]) -> None:
    with pytest.raises(OSError, match="must not reach"):
        socket.getaddrinfo("example.org", 443)
    no_network.clear()


def test_hidden_attempts_are_kept(no_network: list[str]) -> None:
    with socket.socket() as one, contextlib.suppress(OSError):
        one.connect(("192.0.2.1", 80))
    assert no_network == ["('192.0.2.1', 80)"]
    no_network.clear()


def test_loopback_still_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname(), timeout=5).close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.0.1", "::1", "localhost", ""])
def test_loopback_is_local(host: str) -> None:
    assert is_local((host, 80))


@pytest.mark.parametrize("host", ["10.0.0.1", "192.0.2.1", "::", "2001:db8::1", "example.org"])
def test_everything_else_is_not(host: str) -> None:
    assert not is_local((host, 80))
