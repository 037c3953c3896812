"""Objectives as pure functions of tensors: reconstruction, denoising, correlation of slots."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from olvdm.alignment import slot_correlation

TEMPERATURE = 0.1  # of the contrastive terms
WINDOW = 7  # frames apart that the anchored term still compares: a clip of 8 latent frames
USAGE_FLOOR = 1e-2  # share of a clip below which a slot costs next to nothing


def reconstruction_loss(
    reconstruction: Float[Tensor, "b 3 t h w"], clip: Float[Tensor, "b 3 t h w"]
) -> Float[Tensor, ""]:
    """Return the mean absolute plus the mean squared difference.

    Args:
        reconstruction: What came back, about in [-1, 1].
        clip: What went in, in [-1, 1].

    Returns:
        A number >= 0.

    Ours: the absolute part keeps edges, the squared part is what PSNR measures.
    """
    return F.l1_loss(reconstruction, clip) + F.mse_loss(reconstruction, clip)


def temporal_difference_loss(
    reconstruction: Float[Tensor, "b 3 t h w"], clip: Float[Tensor, "b 3 t h w"]
) -> Float[Tensor, ""]:
    """Return how much the change from frame to frame differs from the truth's.

    A still error costs nothing, one that comes and goes does: this is flicker.

    Args:
        reconstruction: What came back, about in [-1, 1].
        clip: What went in, in [-1, 1].

    Returns:
        Mean absolute difference, >= 0; 0 for a single frame.

    Ours: LVDM's autoencoder losses are all per frame.
    """
    if clip.shape[2] < 2:
        return clip.new_zeros(())
    return F.l1_loss(reconstruction.diff(dim=2), clip.diff(dim=2))


def gaussian_divergence(
    mean: Float[Tensor, "b c t h w"], log_variance: Float[Tensor, "b c t h w"]
) -> Float[Tensor, ""]:
    """Return the mean Kullback-Leibler divergence of each latent from a standard Gaussian.

    Source: Kingma and Welling 2014, appendix B.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def denoising_loss(
    prediction: Float[Tensor, "b c t h w"],
    target: Float[Tensor, "b c t h w"],
    is_given: Bool[Tensor, "b t"],
    loss_type: str = "l2",
) -> Float[Tensor, ""]:
    """Return the mean error of a prediction over the frames that are not given.

    Args:
        prediction: Of the denoiser.
        target: What it should have predicted.
        is_given: Frames whose content was supplied; they carry no loss.
        loss_type: ``"l2"`` for squared errors, ``"l1"`` for absolute ones.

    Returns:
        A number >= 0; 0 where every frame is given.

    Source: rectified flow for ``l2``, LVDM for ``l1``. Ours: LVDM leaves its given frames in the
    loss.
    """
    difference = prediction - target
    errors = difference.abs() if loss_type == "l1" else difference.square()
    errors = errors.mean(dim=(1, 3, 4))
    return weighted_mean(errors, (~is_given).to(errors.dtype))


def mask_entropy(masks: Float[Tensor, "b t k h w"]) -> Float[Tensor, ""]:
    """Return the mean entropy of the slots' shares of a pixel, in nats.

    Args:
        masks: Shares of each pixel over the slots, sum 1.

    Returns:
        0 where every pixel has one owner, log k where all share it.

    Ours: it keeps one object from being shared by two slots.
    """
    return -(masks * masks.clamp(min=1e-8).log()).sum(dim=2).mean()


def slot_usage(masks: Float[Tensor, "b t k h w"]) -> Float[Tensor, ""]:
    """Return how many slots a clip spends; one large share costs less than two halves.

    Args:
        masks: Shares of each pixel over the slots, sum 1.

    Returns:
        The sum over slots of the root of each one's share of the clip: 1 where one slot holds
        everything, the root of k where all k hold equal parts.

    Ours: reconstruction cannot tell an object that has one slot from an object that two slots share
    or hand to each other half way; this can, since a root grows fastest near zero.
    """
    return (masks.mean(dim=(1, 3, 4)) + USAGE_FLOOR).sqrt().sum(dim=1).mean()


def appearance_drift(
    colours: Float[Tensor, "b t k 3"], presence: Bool[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return how much the colours that slots paint with change over their clips.

    Args:
        colours: Of each slot in each frame.
        presence: Which slots hold something.

    Returns:
        The variance over time of a slot's colour, mean over the slots that are there; 0 where every
        slot keeps its colour.

    Ours: two objects that cross may exchange their slots, and neither reconstruction nor a loss on
    identities, which may code places, minds; but then both slots change their colour.
    """
    weights = presence[..., None].to(colours.dtype)
    counts = weights.sum(dim=1, keepdim=True)
    mean = (colours * weights).sum(dim=1, keepdim=True) / counts.clamp(min=1)
    return weighted_mean((colours - mean).square(), weights)


def weighted_mean(values: Tensor, weights: Tensor) -> Float[Tensor, ""]:
    """Return the mean of values by weight; 0, not NaN, where all weights are 0."""
    return (values * weights).sum() / weights.expand_as(values).sum().clamp(min=1e-6)


def slot_loss(
    name: str,
    identities: Float[Tensor, "b t k d"],
    presence: Bool[Tensor, "b t k"],
    frame_weights: Float[Tensor, "b t"] | None = None,
    reference: Float[Tensor, "b t k e"] | None = None,
) -> Float[Tensor, ""]:
    """Return one term of the slot-correlation family, by its name.

    Empty slots neither pull nor push. Where frames carry weights, a pair of frames weighs with
    their product.

    Args:
        name: A key of `SLOT_LOSSES`.
        identities: Identity vectors, the running mean removed; slot k is the same object in each
            frame.
        presence: Which slots are there.
        frame_weights: How much each frame counts, >= 0.
        reference: Identity vectors of the clean clip, where there is one: ``anchored`` needs it,
            and ``corr`` then takes the mix of the denoiser's stage, ``anchored`` and half of
            ``gram``.

    Returns:
        A number; the smaller, the steadier the slots in the sense of that term.

    Raises:
        ValueError: If there are fewer than two frames, the name is unknown, or ``anchored`` lacks
            its reference.

    Source: OLVDM section 1, read in three ways. Ours: the formulas; the paper gives none.
    """
    if name not in SLOT_LOSSES:
        raise ValueError(f"slot loss must be one of {', '.join(SLOT_LOSSES)}, got {name!r}")
    if identities.shape[1] < 2:
        raise ValueError(f"need at least two frames, got {identities.shape[1]}")
    if name == "none":
        return identities.new_zeros(())
    weights = presence.to(torch.float32)
    if frame_weights is not None:
        weights = weights * frame_weights[..., None]
    if name == "anchored" and reference is None:
        raise ValueError("anchored needs the identities of the clean clip")
    if name == "anchored" and reference is not None:
        return anchored_loss(identities, reference, weights)
    if name == "corr" and reference is not None:
        anchored = anchored_loss(identities, reference, weights)
        return anchored + 0.5 * gram_loss(identities, weights)
    return SLOT_LOSSES[name](identities, weights)


def l2_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return the squared distance of each slot's direction to its own in the next frame.

    Source: OLVDM section 1, "the difference in slots between each frame".
    """
    agreement = F.cosine_similarity(identities[:, 1:], identities[:, :-1], dim=-1)
    return weighted_mean(2 - 2 * agreement, weights[:, 1:] * weights[:, :-1])


def gram_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return the squared change of the slots' mutual correlation, off the diagonal.

    Source: OLVDM section 1, "the difference in correlation between each frame", taken literally.
    """
    unit = F.normalize(identities.float(), dim=-1)
    within = unit @ unit.transpose(-1, -2)
    pairs = weights[..., :, None] * weights[..., None, :]
    off_diagonal = 1 - torch.eye(unit.shape[2], device=unit.device)
    change = (within[:, 1:] - within[:, :-1]).square()
    return weighted_mean(change, pairs[:, 1:] * pairs[:, :-1] * off_diagonal)


def smooth_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return the squared change of the correlation across frames; 0 for two frames.

    Source: OLVDM section 1, the same sentence, of correlation across frames.
    """
    across = _successive(identities)
    pairs = weights[:, :-1, :, None] * weights[:, 1:, None, :]
    change = (across[:, 1:] - across[:, :-1]).square()
    return weighted_mean(change, pairs[:, 1:] * pairs[:, :-1])


def identity_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return the squared distance of the correlation across frames to the identity matrix.

    Source: OLVDM section 1, "align objects". Ours: the formula.
    """
    across = _successive(identities)
    pairs = weights[:, :-1, :, None] * weights[:, 1:, None, :]
    return weighted_mean(
        (across - torch.eye(across.shape[-1], device=across.device)).square(), pairs
    )


def nce_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return how hard it is to find each slot again among the same clip's slots one frame on.

    Source: InfoNCE (van den Oord et al. 2018), as in SlotContrast. Ours: both directions.
    """
    scores = _successive(identities) / TEMPERATURE
    return _contrast(
        rearrange(scores, "b t i j -> (b t) i j"),
        rearrange(weights[:, :-1], "b t k -> (b t) k"),
        rearrange(weights[:, 1:], "b t k -> (b t) k"),
    )


def nce_batch_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return how hard it is to find each slot again among all slots of all clips one frame on.

    Negatives from other clips reject both collapsed slots and a code of the slot's index.

    Source: as `nce_loss`, negatives over the batch as in SlotContrast (Manasyan et al. 2025).
    """
    unit = F.normalize(identities.float(), dim=-1)
    now = rearrange(unit[:, :-1], "b t k d -> t (b k) d")
    later = rearrange(unit[:, 1:], "b t k d -> t (b k) d")
    return _contrast(
        now @ later.transpose(-1, -2) / TEMPERATURE,
        rearrange(weights[:, :-1], "b t k -> t (b k)"),
        rearrange(weights[:, 1:], "b t k -> t (b k)"),
    )


def corr_loss(
    identities: Float[Tensor, "b t k d"], weights: Float[Tensor, "b t k"]
) -> Float[Tensor, ""]:
    """Return the default mix: slots found again over the batch, their mutual correlation steady.

    Ours: batch negatives reject the false optima of the literal readings but hardly see flicker,
    which ``gram`` does.
    """
    return 0.5 * nce_batch_loss(identities, weights) + 0.1 * gram_loss(identities, weights)


def anchored_loss(
    identities: Float[Tensor, "b t k d"],
    reference: Float[Tensor, "b t k e"],
    weights: Float[Tensor, "b t k"],
) -> Float[Tensor, ""]:
    """Return how far the correlation across near frames is from that of the clean clip.

    Ours: the right change rather than no change, where a clean clip exists to say what is right.
    """
    correlation, wanted = slot_correlation(identities), slot_correlation(reference).detach()
    frames = torch.arange(identities.shape[1], device=identities.device)
    apart = (frames[:, None] - frames[None, :]).abs()
    near = ((apart > 0) & (apart <= WINDOW)).float()[None, :, :, None, None]
    pairs = weights[:, :, None, :, None] * weights[:, None, :, None, :]
    return weighted_mean((correlation - wanted).square(), pairs * near)


def _successive(identities: Float[Tensor, "b t k d"]) -> Float[Tensor, "b t2 k k"]:
    unit = F.normalize(identities.float(), dim=-1)
    return unit[:, :-1] @ unit[:, 1:].transpose(-1, -2)


def _contrast(
    scores: Float[Tensor, "n i i"], weights: Float[Tensor, "n i"], later: Float[Tensor, "n i"]
) -> Float[Tensor, ""]:
    """Return the two-sided cross-entropy of the diagonal among the slots that are there."""
    both = weights * later
    total = scores.new_zeros(())
    for rows, there in ((scores, later), (scores.transpose(-1, -2), weights)):
        absent = (there <= 0)[:, None, :] & ~torch.eye(
            rows.shape[-1], dtype=torch.bool, device=rows.device
        )
        chances = rows.masked_fill(absent, -torch.inf).log_softmax(dim=-1)
        total = total + 0.5 * weighted_mean(-chances.diagonal(dim1=-2, dim2=-1), both)
    return total


Term = Callable[[Tensor, Tensor], Tensor]


def _no_loss(identities: Tensor, _: Tensor) -> Tensor:
    return identities.new_zeros(())


SLOT_LOSSES: dict[str, Term] = {
    "none": _no_loss,
    "l2": l2_loss,
    "gram": gram_loss,
    "smooth": smooth_loss,
    "identity": identity_loss,
    "nce": nce_loss,
    "nce_batch": nce_batch_loss,
    "anchored": _no_loss,
    "corr": corr_loss,
}
