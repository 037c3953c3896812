import ast

import pytest

import olvdm
from tests.contract.project import text_of

FROZEN = {
    "CheckpointError",
    "DecodedVideo",
    "FolderClips",
    "Generation",
    "InputError",
    "MovingShapes",
    "OLVDMPipeline",
    "OLVDMPipelineOutput",
    "OlvdmError",
    "ShapesClip",
    "SlotAttention",
    "SlotDecoder",
    "SlotEncoder",
    "SlotOutput",
    "StorageError",
    "TextEncoder",
    "TrainingError",
    "VideoAutoencoder",
    "VideoDenoiser",
    "VideoError",
    "clip_to_frames",
    "decode_still",
    "decode_video",
    "example_prompts",
    "frames_to_clip",
    "write_gif",
    "write_mp4",
    "write_png",
}


def test_no_public_name_is_lost() -> None:
    assert set(olvdm.__all__) >= FROZEN


@pytest.mark.parametrize("name", olvdm.__all__)
def test_public_name_can_be_used(name) -> None:
    assert getattr(olvdm, name).__name__ == name


def test_types_know_the_same_names_as_the_program() -> None:
    tree = ast.parse(text_of("olvdm/__init__.py"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {
        name.name for node in block.body if isinstance(node, ast.ImportFrom) for name in node.names
    }
    assert imported == set(olvdm.__all__)


def test_public_names_are_listed_before_they_are_used() -> None:
    assert set(olvdm.__all__) <= set(dir(olvdm))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pipeline'"):
        getattr(olvdm, "Pipeline")  # noqa: B009
