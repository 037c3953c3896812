"""Both networks of the slots at once: what is in a clip, and which slots hold any of it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from olvdm.alignment import slot_presence
from olvdm.slot_decoder import SlotDecoder
from olvdm.slot_encoder import SlotEncoder, SlotEncoding


class SlotNetworks(nn.Module):
    """What a clip is looked at with where its slots are to be compared; it is frozen.

    Args:
        encoder: Finds the slots.
        decoder: Says which of them are there. A slot that nothing is left for still attends
            somewhere, most of all along the edges of objects; only what it draws tells that it
            holds nothing.
    """

    def __init__(self, encoder: SlotEncoder, decoder: SlotDecoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.requires_grad_(False).eval()

    def forward(
        self, latents: Float[Tensor, "b c t h w"]
    ) -> tuple[SlotEncoding, Bool[Tensor, "b t k"]]:
        """Return the slots of every latent frame, and which of them hold something.

        Args:
            latents: Of clips; gradients reach them through the slots.

        Returns:
            The slots, and whether each draws more than a trace of its frame.
        """
        encoding = self.encoder(latents)
        with torch.no_grad():
            drawing = self.decoder(encoding.slots, *latents.shape[-2:])
        return encoding, slot_presence(drawing.alpha_masks())
