import json
from pathlib import Path

import pytest

from benchmarks.settings import Settings


@pytest.mark.parametrize("peers", [None, Path("/somewhere")])
def test_settings_survive_the_way_to_another_process(peers) -> None:
    settings = Settings(rounds=3, threads=2, checkpoint=Path("/model"), peers=peers)
    assert Settings.from_json(json.loads(json.dumps(settings.as_json()))) == settings
