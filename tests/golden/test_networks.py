"""Numbers and names that published weights rely on; `networks.py` writes them anew.

Tolerance: 1e-3 absolute and relative, for other versions of torch and other processors.
"""

import json

import numpy as np
import pytest

from tests.golden.networks import COMPUTED, NETWORKS, NUMBERS, summary, weight_names

RECORD = json.loads(NUMBERS.read_text())


@pytest.mark.parametrize("name", COMPUTED)
def test_numbers_are_those_of_the_published_weights(name: str) -> None:
    np.testing.assert_allclose(summary(name), RECORD["numbers"][name], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_have_the_published_names(name: str) -> None:
    assert weight_names(NETWORKS[name]()) == RECORD["weights"][name]
