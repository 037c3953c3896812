"""Draw each slot on its own and lay the drawings over each other: slots back to a picture."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from olvdm.alignment import slot_presence
from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config
from olvdm.embeddings import GridEmbedding

ALPHA_SCALE = 2  # alpha masks and RGB are finer than the latents by this factor
COLOUR_SPREAD = 0.1  # of a pixel around what its slot draws there; the whole range is 2
# Of a frame's pixels: what a slot must hold once, to be an object. The edge of another's is less,
# and no object of the synthetic world is that small where it is seen best.
SPARE_SHARE = 0.01


@dataclass(frozen=True)
class SlotDrawing:
    """What the slots of a clip draw.

    Attributes:
        latents: The latents of all slots together, `b c t h w`.
        rgb: The picture of all slots together at twice the latent resolution, `b 3 t h2 w2`, about
            in [-1, 1].
        alpha_logits: How strongly each slot claims each of those pixels, `b t k h2 w2`.
        slot_rgb: What each slot would draw there on its own, `b t k 3 h2 w2`.
    """

    latents: Float[Tensor, "b c t h w"]
    rgb: Float[Tensor, "b 3 t h2 w2"]
    alpha_logits: Float[Tensor, "b t k h2 w2"]
    slot_rgb: Float[Tensor, "b t k 3 h2 w2"]

    def alpha_masks(
        self, height: int | None = None, width: int | None = None
    ) -> Float[Tensor, "b t k h3 w3"]:
        """Return each slot's share of every pixel, at any resolution; sum 1 over the slots.

        Args:
            height: Rows, or none for the drawing's own.
            width: Columns, likewise.

        Returns:
            Shares in [0, 1]. The claims are scaled before they compete, so that edges stay crisp.
        """
        logits = self.alpha_logits.float()
        if height is not None and width is not None:
            flat = rearrange(logits, "b t k h w -> (b t) k h w")
            fine = F.interpolate(flat, (height, width), mode="bilinear", align_corners=False)
            logits = rearrange(fine, "(b t) k h w -> b t k h w", b=logits.shape[0])
        return logits.softmax(dim=2)

    def posterior_masks(self, clip: Float[Tensor, "b 3 t h w"]) -> Float[Tensor, "b t k h w"]:
        """Return whose each pixel is, once the pixels themselves have been seen.

        The claims of the slots are what is expected before, and by Bayes' rule a slot that would
        draw a pixel in its true colour gains it from one that would not. So the masks follow the
        edges of the picture, which claims on a coarse grid cannot. A slot that holds a hundredth of
        no frame is spare and holds nothing at all: else it would gain the blended pixels along the
        edges of others.

        Args:
            clip: What was drawn, in [-1, 1], at any resolution.

        Returns:
            Shares in [0, 1] at that resolution, sum 1 over the slots.

        Source: responsibilities of a spatial mixture (Greff et al. 2017, N-EM). Ours: to take them
        for the masks, which need no further training; and that spare slots have none.
        """
        batch, num_frames, num_slots = self.alpha_logits.shape[:3]
        size = clip.shape[3:]
        masks = self.slot_rgb.new_empty(batch, num_frames, num_slots, *size)
        is_spare = torch.ones_like(masks[:, 0, :, 0, 0], dtype=torch.bool)
        for frame in range(num_frames):  # one by one: large clips would not fit otherwise
            claims = F.interpolate(
                self.alpha_logits[:, frame].float(), size, mode="bilinear", align_corners=False
            )
            drawn = rearrange(self.slot_rgb[:, frame].float(), "b k c h w -> (b k) c h w")
            drawn = F.interpolate(drawn, size, mode="bilinear", align_corners=False)
            drawn = rearrange(drawn, "(b k) c h w -> b k c h w", b=batch)
            distances = (clip[:, None, :, frame].float() - drawn).square().sum(dim=2)
            masks[:, frame] = claims - distances / (2 * COLOUR_SPREAD**2)
            is_spare &= ~slot_presence(masks[:, frame : frame + 1], SPARE_SHARE)[:, 0]
        unlikely = torch.where(is_spare, -torch.inf, 0.0)[..., None, None]
        for frame in range(num_frames):
            masks[:, frame] = (masks[:, frame] + unlikely).softmax(dim=1)
        return masks


class SlotDecoder(ModelMixin, ConfigMixin):
    """Draw slots by spatial broadcast: every slot fills the frame, its alpha says where it counts.

    Args:
        latent_channels: Channels of the latents.
        slot_dim: Width of a slot.
        hidden_dim: Width of the drawing.

    Source: Watters et al. 2019 (spatial broadcast) as in Locatello et al. 2020. Ours: it draws
    latents and a finer picture at once, since masks on the latent grid cannot be crisp; and a slot
    paints with one colour first and learns its shading later, so that no slot can explain two
    objects of different colours, which is how slots come apart early.
    """

    @register_to_config
    def __init__(self, latent_channels: int = 8, slot_dim: int = 64, hidden_dim: int = 32) -> None:
        super().__init__()
        self.places = GridEmbedding(slot_dim)
        self.convolutions = nn.Sequential(
            nn.Conv2d(slot_dim, hidden_dim, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(hidden_dim, hidden_dim, 5, padding=2),
            nn.ReLU(),
        )
        self.to_latents = nn.Conv2d(hidden_dim, latent_channels, 1)
        self.to_colour = nn.Linear(slot_dim, 3)
        self.to_shading = nn.Conv2d(hidden_dim, 3 * ALPHA_SCALE**2, 3, padding=1)
        self.to_alpha = nn.Conv2d(hidden_dim, ALPHA_SCALE**2, 3, padding=1)
        nn.init.zeros_(self.to_shading.weight)
        nn.init.zeros_(self.to_shading.bias)  # pyright: ignore[reportArgumentType]

    def forward(self, slots: Float[Tensor, "b t k d"], height: int, width: int) -> SlotDrawing:
        """Return the drawing of the slots of every frame.

        Args:
            slots: Of a clip.
            height: Rows of the latent grid.
            width: Columns of it.

        Returns:
            Latents, picture and alpha, all slots together.
        """
        batch, num_frames, num_slots, _ = slots.shape
        flat = rearrange(slots, "b t k d -> (b t k) 1 1 d")
        grid = self.places(flat.expand(-1, height, width, -1))
        hidden = self.convolutions(rearrange(grid, "n h w d -> n d h w"))
        axes = {"b": batch, "t": num_frames, "k": num_slots}
        alpha_logits = F.pixel_shuffle(self.to_alpha(hidden), ALPHA_SCALE)
        alpha_logits = rearrange(alpha_logits, "(b t k) 1 h w -> b t k h w", **axes)
        alpha = alpha_logits.float().softmax(dim=2)
        shading = F.pixel_shuffle(self.to_shading(hidden), ALPHA_SCALE)
        shading = rearrange(shading, "(b t k) c h w -> b t k c h w", **axes)
        colour = rearrange(self.to_colour(slots), "b t k c -> b t k c 1 1")
        picture = (colour + shading).float()
        rgb = einsum(alpha, picture, "b t k h w, b t k c h w -> b c t h w")
        coarse = F.avg_pool2d(rearrange(alpha, "b t k h w -> (b t) k h w"), ALPHA_SCALE)
        shares = rearrange(coarse, "(b t) k h w -> b t k h w", b=batch)
        drawn = rearrange(self.to_latents(hidden), "(b t k) c h w -> b t k c h w", **axes)
        latents = einsum(shares, drawn.float(), "b t k h w, b t k c h w -> b c t h w")
        return SlotDrawing(latents, rgb, alpha_logits, picture)

    def paint(
        self, slots: Float[Tensor, "b t k d"], masks: Float[Tensor, "b t k h w"]
    ) -> Float[Tensor, "b 3 t h w"]:
        """Return the picture of slots that each fill a mask with their one colour.

        Args:
            slots: Of a clip.
            masks: Share of each pixel over the slots.

        Returns:
            A picture about in [-1, 1], without shading.
        """
        colour = self.to_colour(slots).float()
        return einsum(masks, colour, "b t k h w, b t k c -> b c t h w")
