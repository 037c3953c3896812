import pytest
import torch

from olvdm.attribute_network import ATTRIBUTES, AttributeNetwork, are_right, attribute_targets
from olvdm.data.moving_shapes import MovingShapes
from tests.tiny_judges import tiny_attribute_network


def clip(seed: int = 0) -> torch.Tensor:
    return torch.rand(2, 3, 4, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def certain(targets: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Logits of a network that is sure of what is true."""
    return {name: 20 * one[None] - 10 for name, one in targets.items()}


def batched(targets: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: one[None] for name, one in targets.items()}


def test_there_is_one_logit_for_each_value_of_each_attribute() -> None:
    logits = tiny_attribute_network()(clip())
    assert {name: one.shape[1] for name, one in logits.items()} == {
        name: len(values) for name, values in ATTRIBUTES.items()
    }


def test_features_of_a_clip_do_not_depend_on_its_batch() -> None:
    network = tiny_attribute_network()
    with torch.no_grad():
        together, alone = network.features(clip()), network.features(clip()[1:])
    torch.testing.assert_close(together[1:], alone)


def test_features_see_the_order_of_the_frames() -> None:
    network = tiny_attribute_network()
    with torch.no_grad():
        forth, back = network.features(clip()), network.features(clip().flip(2))
    assert (forth - back).abs().max() > 1e-4


@pytest.mark.parametrize("widths", [(8, 8), (8, 8, 12), (0, 8, 8)])
def test_widths_that_do_not_fit_are_refused(widths: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="need at least 3 widths"):
        AttributeNetwork(widths=widths)


def test_targets_name_what_the_objects_have() -> None:
    objects = MovingShapes("full", "train", 4)[3].objects
    targets = attribute_targets(objects)
    named = {
        name: {value for value, there in zip(values, targets[name], strict=True) if there}
        for name, values in ATTRIBUTES.items()
    }
    assert named == {
        "colour": {one.colour for one in objects},
        "shape": {one.shape for one in objects},
        "motion": {one.motion for one in objects},
        "count": {str(len(objects))},
    }


def test_whoever_names_exactly_what_is_there_is_right() -> None:
    targets = attribute_targets(MovingShapes("ood", "test", 1)[0].objects)
    right = are_right(certain(targets), batched(targets))
    assert all(one.tolist() == [1.0] for one in right.values())


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_one_value_too_many_is_wrong(name: str) -> None:
    targets = attribute_targets(MovingShapes("simple", "test", 1)[0].objects)
    logits = certain(targets)
    logits[name][0, int(targets[name].argmin())] = 30.0
    assert are_right(logits, batched(targets))[name].tolist() == [0.0]
