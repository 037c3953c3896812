"""Find the objects of every frame in its latents, each slot keeping its object through time."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config
from olvdm.embeddings import GridEmbedding
from olvdm.slot_attention import SlotAttention

MEAN_MOMENTUM = 0.01  # of the running mean of the identities
WAITING_SHARE = 0.015  # of a frame; a slot that holds less waits for its object
WAITING_SOFTNESS = 0.3  # of that share, over which it comes back to life
INITIAL_SEED = 0  # of the slots' beginnings where no generator is given, so that results repeat


@dataclass(frozen=True)
class SlotEncoding:
    """The slots of a clip and the positions that each attends to.

    Attributes:
        slots: `b t k d`.
        attention_masks: Share of each latent position over the slots, `b t k h w`, sum 1.
    """

    slots: Float[Tensor, "b t k d"]
    attention_masks: Float[Tensor, "b t k h w"]


class SlotEncoder(ModelMixin, ConfigMixin):
    """Extract slots from every latent frame; the slots of one frame begin those of the next.

    Args:
        latent_channels: Channels of the latents.
        feature_dim: Width of the features that slots attend to.
        slot_dim: The paper's D.
        num_slots: The paper's K where no other number is asked for; any number works, since all
            slots begin from one shared Gaussian.
        num_iterations: Rounds of competition on the first frame.
        num_later_iterations: Rounds on every later frame.
        identity_dim: Width of the vectors that say *which* object a slot holds.

    Raises:
        ValueError: If there are fewer than two slots, or a frame has no round of competition.

    Source: OLVDM section 3.2. Ours: the carry-over through a predictor, after SAVi (Kipf et al.
    2022), and the identity head, so that position and pose can live in the rest of the slot; and
    that a slot whose object is hidden waits: it keeps what it knew, where one more update by the
    little it sees would let it forget whom it waits for.
    """

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 8,
        feature_dim: int = 64,
        slot_dim: int = 64,
        num_slots: int = 6,
        num_iterations: int = 3,
        num_later_iterations: int = 2,
        identity_dim: int = 32,
    ) -> None:
        super().__init__()
        if num_slots < 2 or min(num_iterations, num_later_iterations) < 1:
            raise ValueError(
                f"need 2 slots and 1 round, got {num_slots} and {num_iterations}, "
                f"{num_later_iterations}"
            )
        self.convolutions = nn.Sequential(
            nn.Conv2d(latent_channels, feature_dim, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(feature_dim, feature_dim, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(feature_dim, feature_dim, 3, padding=1),
            nn.ReLU(),
        )
        self.places = GridEmbedding(feature_dim)
        self.features = nn.Sequential(
            nn.LayerNorm(feature_dim),
            nn.Linear(feature_dim, feature_dim),
            nn.ReLU(),
            nn.Linear(feature_dim, feature_dim),
        )
        self.initial_mean = nn.Parameter(0.1 * torch.randn(slot_dim))
        self.initial_log_std = nn.Parameter(torch.zeros(slot_dim))
        self.attention = SlotAttention(feature_dim, slot_dim)
        self.predict = nn.Sequential(
            nn.LayerNorm(slot_dim),
            nn.Linear(slot_dim, 2 * slot_dim),
            nn.ReLU(),
            nn.Linear(2 * slot_dim, slot_dim),
        )
        nn.init.zeros_(self.predict[3].weight)  # pyright: ignore[reportArgumentType]
        nn.init.zeros_(self.predict[3].bias)  # pyright: ignore[reportArgumentType]
        self.to_identity = nn.Linear(slot_dim, identity_dim)
        self.register_buffer("identity_mean", torch.zeros(identity_dim))

    @property
    def num_slots(self) -> int:
        """Slots per frame where no other number is asked for."""
        return self.config["num_slots"]

    def forward(
        self,
        latents: Float[Tensor, "b c t h w"],
        num_slots: int | None = None,
        generators: Sequence[torch.Generator] | None = None,
    ) -> SlotEncoding:
        """Return the slots of every latent frame.

        Args:
            latents: Standardised latents of a clip.
            num_slots: Slots per frame, at least 2.
            generators: One CPU generator a clip, to draw where its slots begin; without them every
                clip begins from the same draw.

        Returns:
            Slots, and their shares of every latent position.
        """
        _, _, num_frames, height, _ = latents.shape
        features = self.frame_features(latents)
        slots = self.initial_slots(len(latents), num_slots or self.num_slots, generators)
        rounds = self.config["num_iterations"]
        all_slots: list[Tensor] = []
        all_masks: list[Tensor] = []
        for frame in range(num_frames):
            slots, masks = self.attention(features[:, frame], slots, rounds)
            if frame > 0:
                slots = keep_waiting(all_slots[-1], slots, masks)
            all_slots.append(slots)
            all_masks.append(masks)
            slots = slots + self.predict(slots)
            rounds = self.config["num_later_iterations"]
        attention_masks = rearrange(torch.stack(all_masks, 1), "b t k (h w) -> b t k h w", h=height)
        return SlotEncoding(torch.stack(all_slots, 1), attention_masks)

    def frame_features(self, latents: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b t n f"]:
        """Return the features of every position of every frame, each frame alone."""
        num_frames = latents.shape[2]
        frames = rearrange(latents, "b c t h w -> (b t) c h w")
        grid = rearrange(self.convolutions(frames), "n f h w -> n h w f")
        features = self.features(self.places(grid))
        return rearrange(features, "(b t) h w f -> b t (h w) f", t=num_frames)

    def initial_slots(
        self,
        num_clips: int,
        num_slots: int,
        generators: Sequence[torch.Generator] | None = None,
    ) -> Float[Tensor, "b k d"]:
        """Draw where the slots begin, from one Gaussian that they all share.

        Args:
            num_clips: Clips.
            num_slots: Slots of each.
            generators: One CPU generator a clip, or none for a fixed draw that all clips share.

        Returns:
            The beginnings.

        Source: Locatello et al. 2020. Learned vectors per slot would divide the picture by place,
        and let a consistency loss be won by a code of the slot's index.
        """
        shape = (num_slots, len(self.initial_mean))
        if generators is None:
            fixed = torch.Generator().manual_seed(INITIAL_SEED)
            noise = torch.randn(shape, generator=fixed).expand(num_clips, *shape)
        else:
            noise = torch.stack([torch.randn(shape, generator=each) for each in generators])
        return self.initial_mean + self.initial_log_std.exp() * noise.to(self.initial_mean)

    def identities(self, slots: Float[Tensor, "b t k d"]) -> Float[Tensor, "b t k e"]:
        """Return which object each slot holds, as a vector with the running mean removed.

        Raw cosines of slots sit near 0.9, whatever they hold; without their common part they tell
        objects apart.

        Ours: the paper correlates slots and does not say in which space.
        """
        return self.to_identity(slots).float() - self.identity_mean

    @torch.no_grad()
    def follow_identity_mean(
        self, slots: Float[Tensor, "b t k d"], presence: Bool[Tensor, "b t k"]
    ) -> None:
        """Move the running mean of the identities towards that of the slots that are there.

        Numbers that are not finite leave it as it is, or no later step could be finite again.
        """
        present = self.to_identity(slots[presence]).float()
        if len(present):
            move = MEAN_MOMENTUM * (present.mean(0) - self.identity_mean)
            self.identity_mean += torch.where(move.isfinite(), move, 0.0)


def keep_waiting(
    known: Float[Tensor, "b k d"], seen: Float[Tensor, "b k d"], masks: Float[Tensor, "b k n"]
) -> Float[Tensor, "b k d"]:
    """Let slots that hold next to nothing of a frame stay as they were in the frame before."""
    excess = masks.float().mean(dim=2, keepdim=True) - WAITING_SHARE
    is_awake = torch.sigmoid(excess / (WAITING_SHARE * WAITING_SOFTNESS)).to(seen.dtype)
    return torch.lerp(known.to(seen.dtype), seen, is_awake)
