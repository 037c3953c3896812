"""The slot attention of lucidrains, from its package, with the weights of ours where that helps."""

import importlib

import torch
from torch import Tensor, nn

from benchmarks.peers import MissingPeerError, Peer
from olvdm.slot_attention import SlotAttention

CENTRED = "keys are centred over the frame, as ours are: then both compute the same"


class CentredKeys(nn.Module):
    """Project keys, less their mean over the positions.

    Args:
        project: The projection.
    """

    def __init__(self, project: nn.Module) -> None:
        super().__init__()
        self.project = project

    def forward(self, positions: Tensor) -> Tensor:
        """Return the centred keys."""
        keys = self.project(positions)
        return keys - keys.mean(dim=1, keepdim=True)


def slot_attention(ours: SlotAttention, num_slots: int, num_iterations: int) -> Peer:
    """Return lucidrains' slot attention at the size of ours, as it is published.

    Args:
        ours: Whose size it gets.
        num_slots: Slots.
        num_iterations: Rounds.

    Returns:
        The layer.

    Raises:
        MissingPeerError: If the package is not there.
    """
    try:
        module = importlib.import_module("slot_attention")
    except ImportError as error:
        raise MissingPeerError(
            f"lucidrains' slot attention skipped: no module {error.name}; `pip install "
            "slot-attention` in another environment and say --peers ITS/site-packages"
        ) from error
    dim = ours.to_query.in_features
    torch.manual_seed(0)
    theirs = module.SlotAttention(
        num_slots=num_slots, dim=dim, iters=num_iterations, hidden_dim=2 * dim
    )
    return Peer("lucidrains SlotAttention", theirs)


@torch.no_grad()
def copy_weights(ours: SlotAttention, theirs: nn.Module) -> None:
    """Give their layer the weights of ours, and its keys our centring.

    Args:
        ours: Where the weights come from.
        theirs: Where they go; its biases of queries, keys and values become 0.
    """
    pairs = {
        "norm_input": ours.norm_features,
        "norm_slots": ours.norm_slots,
        "norm_pre_ff": ours.refine[0],
        "gru": ours.update,
        "mlp.0": ours.refine[1],
        "mlp.2": ours.refine[3],
    }
    for name, module in pairs.items():
        theirs.get_submodule(name).load_state_dict(module.state_dict())
    projections = {"to_q": ours.to_query, "to_k": ours.to_key, "to_v": ours.to_value}
    for name, project in projections.items():
        bias = torch.zeros(project.out_features)
        theirs.get_submodule(name).load_state_dict({"weight": project.weight, "bias": bias})
    theirs.to_k = CentredKeys(theirs.get_submodule("to_k"))
