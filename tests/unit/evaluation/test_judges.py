import shutil
from pathlib import Path

import pytest

from olvdm.data.moving_shapes import MovingShapes
from olvdm.errors import CheckpointError
from olvdm.evaluation.judges import Judges, find_judges, judged_measures
from olvdm.slot_encoder import SlotEncoder
from tests.tiny_judges import write_judges
from tests.tiny_networks import CHANNELS, tiny_pipeline, tiny_slot_decoder

CLIPS = MovingShapes("simple", "val", 3, num_frames=4, height=16, width=16)


def panel_of(folder: Path | None) -> Judges:
    return Judges(folder, tiny_pipeline(), CLIPS, CLIPS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_judges(tmp_path_factory.mktemp("judges") / "judge")


def test_judges_measure_every_clip_and_give_its_features(folder: Path) -> None:
    found, features = panel_of(folder).measure(CLIPS[0].frames)
    assert found.keys() == {
        "slot_consistency",
        "slot_switches",
        "slot_flicker",
        "nearest_training",
    }
    assert features


def test_without_judges_nothing_is_measured_and_one_line_says_why() -> None:
    panel = panel_of(None)
    assert panel.measure(CLIPS[0].frames) == ({}, "")
    assert panel.validate(CLIPS, lambda: None) == {
        name: {"absent": "no folder of judges was given or lies beside the checkpoint"}
        for name in ("independent_slots", "attribute_network")
    }


def test_a_damaged_judge_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "judge"))
    (broken / "slot_encoder" / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="slot_encoder"):
        panel_of(broken)


def test_slots_for_other_latents_stay_silent_and_say_why(tmp_path: Path) -> None:
    from olvdm.manifest import write_folder

    with write_folder(tmp_path / "judge", "judge") as partial:
        other = SlotEncoder(latent_channels=CHANNELS + 1, feature_dim=8, slot_dim=16)
        other.save_pretrained(partial / "slot_encoder")
        tiny_slot_decoder().save_pretrained(partial / "slot_decoder")
    absent = panel_of(tmp_path / "judge").absent
    assert absent["independent_slots"] == (
        "it reads latents of 5 channels, and the checkpoint's have 4"
    )


def test_judges_that_may_not_judge_are_named(folder: Path) -> None:
    validity = panel_of(folder).validate(CLIPS, lambda: None)
    assert set(judged_measures(validity).values()) == {False}


def test_judges_beside_the_checkpoint_are_found(folder: Path) -> None:
    assert find_judges(None, folder.parent / "olvdm") == folder.resolve()


def test_judges_that_were_named_come_first(folder: Path, tmp_path: Path) -> None:
    assert find_judges(tmp_path, folder.parent / "olvdm") == tmp_path


def test_without_a_folder_beside_there_are_none(tmp_path: Path) -> None:
    assert find_judges(None, tmp_path / "olvdm") is None
