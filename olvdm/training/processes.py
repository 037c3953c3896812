"""The processes that share a training, and the few things that they tell each other."""

from collections.abc import Mapping
from typing import cast

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import send_to_device
from jaxtyping import Float
from torch import Tensor, nn

from olvdm.training.stage import Batch


class Processes:
    """Know this process's device and place, and combine what every process has found.

    Precision, clipping and saving are not left to accelerate: the settings of the training are
    their one source, and its own saver prunes before it writes.
    """

    def __init__(self) -> None:
        # A stage may leave weights unused for a while, a loss that is ramped in for example.
        keywords = DistributedDataParallelKwargs(find_unused_parameters=True)
        self.accelerator = Accelerator(mixed_precision="no", kwargs_handlers=[keywords])
        self.device: torch.device = self.accelerator.device
        self.count: int = self.accelerator.num_processes
        self.index: int = self.accelerator.process_index
        self.is_main: bool = self.accelerator.is_main_process

    def wrap(self, stage: nn.Module) -> nn.Module:
        """Return the stage as it is called in training: gradients are averaged over processes.

        Args:
            stage: The stage, on this process's device.

        Returns:
            The stage itself where there is one process.
        """
        return cast("nn.Module", self.accelerator.prepare_model(stage))

    def place(self, batch: Batch) -> Batch:
        """Return a batch with its tensors on this process's device.

        Args:
            batch: Tensors and lists of texts by name.

        Returns:
            The same names.
        """
        return cast("Batch", send_to_device(batch, self.device, non_blocking=True))

    def mean(self, values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
        """Return the mean of each number over the processes.

        Args:
            values: Numbers that every process has, in the same order.

        Returns:
            Their means, equal on all processes.
        """
        return cast("Tensor", self.accelerator.reduce(values, "mean"))

    def rows(self, values: Tensor) -> Tensor:
        """Return what every process has, one row a process.

        Args:
            values: A tensor of the same shape and kind on each.

        Returns:
            All of them along a new first axis.
        """
        return cast("Tensor", self.accelerator.gather(values.to(self.device)[None]))

    def any(self, fact: bool) -> bool:
        """Tell whether something holds for any process.

        Args:
            fact: What holds for this one.

        Returns:
            The same answer on all processes.
        """
        return bool(self.rows(torch.tensor(float(fact))).any())

    def wait(self) -> None:
        """Wait until every process is here."""
        self.accelerator.wait_for_everyone()

    def random_states(self) -> dict[str, Tensor]:
        """Return the state of every process's global generators.

        Returns:
            Bytes by kind and process, such as ``cpu.0``; the same on all processes.
        """
        states = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            states["cuda"] = torch.cuda.get_rng_state(self.device)
        return {
            f"{kind}.{index}": row.cpu()
            for kind, state in states.items()
            for index, row in enumerate(self.rows(state))
        }

    def set_random_states(self, states: Mapping[str, Tensor]) -> None:
        """Put this process's global generators back.

        Args:
            states: What ``random_states`` returned to as many processes.
        """
        torch.set_rng_state(states[f"cpu.{self.index}"])
        if self.device.type == "cuda" and f"cuda.{self.index}" in states:
            torch.cuda.set_rng_state(states[f"cuda.{self.index}"], self.device)
