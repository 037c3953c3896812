"""The clip of discs that most tests of pictures use."""

import pytest

from tests.unit.visualize.circles import World, make_world


@pytest.fixture
def world() -> World:
    return make_world()
