"""One frozen dataclass a stage: what a training is made of, read from TOML and checked."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, overload

from olvdm.errors import InputError
from olvdm.training.named_files import NamedFiles
from olvdm.training.setting import (
    checked,
    choice,
    flag,
    number,
    optional_name,
    optional_number,
    optional_path,
    read_text,
    toml_value,
    widths,
)

PRESETS = ("smoke", "cpu", "gpu", "lvdm-parity")
PRESET_FILES = NamedFiles("preset", PRESETS, "olvdm.training", "presets", noun="settings file")

# The family of losses that keep slots consistent in time.
SLOT_LOSSES = ("l2", "gram", "smooth", "identity", "nce", "nce_batch", "anchored", "corr")

OWN_VIDEOS, SHAPES = "videos of one's own", "moving shapes, level {}"  # what clips are called

StageName = Literal["autoencoder", "slots", "denoiser", "judge"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """What every stage has: its data, its optimiser, and how often it saves and shows.

    Attributes:
        level: Level of the synthetic world.
        videos: A folder of one's own videos, in place of the synthetic world.
        latents: Folder in which encoded clips are kept, made where it is not there yet.
        num_clips: Clips in an epoch of the synthetic world.
        num_frames: Frames of a clip.
        height: Height of a frame in pixels.
        width: Width of a frame in pixels.
        num_workers: Processes that read clips ahead; 0 reads between the steps.
        seed: What all noise and the order of the clips follow from.
        init_from: A folder of networks to begin from, such as ``final`` of another training.
        batch_size: Clips of one step, all processes together.
        max_steps: Steps of the whole training, resumed parts included.
        max_minutes: Wall-clock limit, resumed parts included; the final decay fits within it.
        optimizer: What changes the matrices; vectors and embeddings stay with AdamW.
        learning_rate: The rate of the long flat part.
        warmup_steps: Steps until that rate is reached.
        decay_fraction: Share of the training, at its end, in which the rate falls to 0.
        weight_decay: Pull of the matrices towards 0.
        clip_norm: Longest gradient, by its Euclidean norm over all weights.
        ema_decay: Share of the averaged weights that a late step keeps.
        precision: ``bf16`` computes in bf16 where that is safe; weights stay fp32.
        weights_dtype: Kind of the numbers of the networks in ``final``.
        compile: Whether to compile the networks.
        save_every: Steps between two saved states.
        preview_every: Steps between two rounds of sample videos.
        validate_every: Steps between two rounds of scores.
        log_every: Steps between two lines of the log.

    Source: Hu et al. 2024 (warm-up, long flat rate, short decay). Ours: the fields.
    """

    level: str = choice("full", "simple")
    videos: str | None = optional_path()
    latents: str | None = optional_path()
    num_clips: int = number(10_000, 1, 100_000_000)
    num_frames: int = number(16, 1, 256)
    height: int = number(64, 16, 512)
    width: int = number(64, 16, 512)
    num_workers: int = number(0, 0, 64)
    seed: int = number(0, 0, 2_147_483_647)
    init_from: str | None = optional_path()
    batch_size: int = number(16, 1, 65_536)
    max_steps: int = number(1_000, 1, 1_000_000_000)
    max_minutes: float | None = optional_number(0.01, 1e6)
    optimizer: str = choice("adamw", "muon")
    learning_rate: float = number(1e-3, 0.0, 1.0)
    warmup_steps: int = number(100, 0, 1_000_000)
    decay_fraction: float = number(0.2, 0.0, 1.0)
    weight_decay: float = number(0.01, 0.0, 10.0)
    clip_norm: float = number(1.0, 1e-6, 1e6)
    ema_decay: float = number(0.999, 0.0, 0.999999)
    precision: str = choice("bf16", "no")
    weights_dtype: str = choice("bf16", "fp32")
    compile: bool = flag(False)
    save_every: int = number(500, 1, 1_000_000_000)
    preview_every: int = number(1_000, 1, 1_000_000_000)
    validate_every: int = number(1_000, 1, 1_000_000_000)
    log_every: int = number(10, 1, 1_000_000)

    def __post_init__(self) -> None:
        """Check every field, also where a program and no file filled it."""
        for declared in fields(self):
            value = checked(declared, getattr(self, declared.name))
            object.__setattr__(self, declared.name, value)

    @property
    def clips_name(self) -> str:
        """What its clips are, in words that tell no path."""
        return OWN_VIDEOS if self.videos is not None else SHAPES.format(self.level)


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig(TrainingConfig):
    """Stage 1: the video autoencoder.

    Attributes:
        spatial_factor: Pixels a latent stands for along a side, the paper's f_s.
        temporal_factor: Frames a latent stands for, the paper's f_t.
        latent_channels: Channels of the latents.
        widths: Channels at each spatial resolution, finest first.
        num_blocks: Residual blocks at each resolution.
        trains_encoder: Whether the encoder learns too; off improves the decoder of latents that
            other networks are trained on already.
        kl_weight: Weight of the pull of the latents towards a Gaussian.
        temporal_weight: Weight of the loss on the change from frame to frame.
    """

    spatial_factor: int = number(4, 1, 16)
    temporal_factor: int = number(2, 1, 8)
    latent_channels: int = number(8, 1, 64)
    widths: tuple[int, ...] = widths(64, 128)
    num_blocks: int = number(2, 1, 16)
    trains_encoder: bool = flag(True)
    kl_weight: float = number(1e-6, 0.0, 1.0)
    temporal_weight: float = number(0.5, 0.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class SlotsConfig(TrainingConfig):
    """Stage 2: slots on the latents of a frozen autoencoder.

    Attributes:
        autoencoder: Folder of networks that holds the trained autoencoder.
        num_slots: Slots of a frame.
        slot_dim: Width of a slot.
        feature_dim: Width of the features that the slots compete for.
        hidden_dim: Width of the layers inside encoder and decoder.
        num_iterations: Rounds of competition in the first frame.
        clip_length: Latent frames of a clip that are seen at once.
        single_frame_share: Share of the training, at its start, that sees single frames.
        attention_weight: Weight of the picture painted by the attention masks themselves, which
            makes slots come apart sooner.
        latents_weight: Weight of bringing back the latents beside the frames.
        entropy_weight: Weight of the pull towards masks that share no pixel.
        usage_weight: Weight of the pull towards few slots a clip, against objects in two slots.
        appearance_weight: Weight of the pull towards slots that keep their colour.
        consistency: Loss on the slots' correlation over time.
        consistency_weight: Its weight.
        solves_identity: Whether the identity head is solved for where networks are saved, so that
            slots are compared by what they hold; off keeps the head that learns along, which tells
            places too.
    """

    autoencoder: str | None = optional_path()
    num_slots: int = number(6, 2, 11)
    slot_dim: int = number(64, 4, 1024)
    feature_dim: int = number(64, 4, 1024)
    hidden_dim: int = number(32, 4, 1024)
    num_iterations: int = number(3, 1, 16)
    clip_length: int = number(4, 1, 256)
    single_frame_share: float = number(0.5, 0.0, 1.0)
    attention_weight: float = number(0.5, 0.0, 100.0)
    latents_weight: float = number(0.02, 0.0, 100.0)
    entropy_weight: float = number(0.1, 0.0, 100.0)
    usage_weight: float = number(0.0, 0.0, 100.0)
    appearance_weight: float = number(0.0, 0.0, 100.0)
    consistency: str = choice("corr", "none", *(name for name in SLOT_LOSSES if name != "corr"))
    consistency_weight: float = number(0.1, 0.0, 100.0)
    solves_identity: bool = flag(True)


@dataclass(frozen=True, kw_only=True)
class DenoiserConfig(TrainingConfig):
    """Stage 3: the denoiser, and the small text tower along with it.

    Attributes:
        autoencoder: Folder of networks that holds the trained autoencoder.
        slots: Folder of networks that holds the trained slot networks, which the slot loss needs.
        local_dim: Width of the blocks that mix neighbours.
        dim: Width of the blocks that attend.
        num_local_blocks: How many of the former, on the way in and on the way out.
        num_blocks: How many of the latter.
        num_heads: Heads of attention.
        attention_blocks: Which of the latter read the prompt, and mix time by attention.
        mixes_time_locally: Whether the former also mix neighbours in time.
        clip_layer: A layer between the latter that sees the whole clip: ``slots`` follow objects,
            ``temporal`` is its control. A denoiser to begin from is given one where it has none.
        clip_length: Latent frames of a clip that are seen at once; 1 trains on stills.
        given_share: Share of the clips of which some frames are given.
        prompt_drop: Share of the clips whose prompt is left out, for guidance.
        trains_text: Whether the text tower is trained along; it stays frozen otherwise. Of a tower
            of open_clip only the last projection is ever trained.
        text_tower: Name of a model of open_clip, such as ``ViT-B-32``, whose text tower takes the
            place of our own small one.
        text_pretrained: Tag of its weights as open_clip lists it, such as ``laion2b_s34b_b79k``;
            they are fetched where they are not on this machine yet.
        text_width: Width of our own text tower.
        text_layers: Its layers.
        context_length: Longest prompt in tokens, start and end included.
        prompt_dim: Width of the prompt's embeddings.
        prediction_type: What the denoiser predicts: ``epsilon`` is LVDM's, the noise of a diffusion
            that DDIM undoes; the other is flow matching.
        loss_type: How far a prediction is off: squared, or absolute as LVDM has it.
        slot_loss: Loss on the slots' correlation in the predicted clean latents; none is LVDM.
        slot_gradient_share: Its gradient, as a share of the denoising loss's; 0 is LVDM.
        slot_max_timestep: Noise level above which a frame does not count in it.
        shuffles_slots: Whether it is to forget which slot of a frame is which: its control.
        track_loss: Loss on the correlation of what the denoiser knows half way of each slot of the
            clean clip; with ``clip_layer=slots`` of its own slots, which ``anchored`` cannot be
            asked of, for there is no clean clip to anchor them to.
        track_weight: Its weight.
    """

    autoencoder: str | None = optional_path()
    slots: str | None = optional_path()
    local_dim: int = number(96, 8, 4096)
    dim: int = number(256, 8, 4096)
    num_local_blocks: int = number(2, 1, 64)
    num_blocks: int = number(4, 1, 64)
    num_heads: int = number(4, 1, 64)
    attention_blocks: tuple[int, ...] = widths(1, 3, low=0)
    mixes_time_locally: bool = flag(True)
    clip_layer: str = choice("none", "slots", "temporal")
    clip_length: int = number(256, 1, 256)
    given_share: float = number(0.5, 0.0, 1.0)
    prompt_drop: float = number(0.1, 0.0, 1.0)
    trains_text: bool = flag(True)
    text_tower: str | None = optional_name()
    text_pretrained: str | None = optional_name()
    text_width: int = number(192, 8, 4096)
    text_layers: int = number(3, 1, 48)
    context_length: int = number(48, 8, 512)
    prompt_dim: int = number(256, 8, 4096)
    prediction_type: str = choice("flow_prediction", "epsilon")
    loss_type: str = choice("l2", "l1")
    slot_loss: str = choice("none", *SLOT_LOSSES)
    slot_gradient_share: float = number(0.12, 0.0, 1.0)
    slot_max_timestep: float = number(700.0, 0.0, 1000.0)
    shuffles_slots: bool = flag(False)
    track_loss: str = choice("none", *SLOT_LOSSES)
    track_weight: float = number(0.02, 0.0, 100.0)

    def __post_init__(self) -> None:
        """Check every field, and that some block reads the prompt."""
        super().__post_init__()
        if min(self.attention_blocks) >= self.num_blocks:
            last, found = self.num_blocks - 1, ", ".join(map(str, self.attention_blocks))
            raise InputError(
                "attention_blocks must name a block that there is, or none reads the prompt: one "
                f"of 0 to {last}, got {found}"
            )

    @property
    def needs_slots(self) -> bool:
        """Whether a loss reads the slots of clips, for which a slot encoder is needed."""
        reads_clips = self.track_loss != "none" and self.clip_layer != "slots"
        return self.slot_loss != "none" or reads_clips


@dataclass(frozen=True, kw_only=True)
class JudgeConfig(TrainingConfig):
    """The judge's network, which no model is trained against.

    Attributes:
        widths: Channels of each of its stages, multiples of 8.
        feature_dim: Width of the features by which clips are compared.
    """

    widths: tuple[int, ...] = widths(24, 48, 96, 128)
    feature_dim: int = number(64, 2, 4096)


CONFIGS: dict[str, type[TrainingConfig]] = {
    "autoencoder": AutoencoderConfig,
    "slots": SlotsConfig,
    "denoiser": DenoiserConfig,
    "judge": JudgeConfig,
}


@overload
def load_config(
    stage_name: Literal["autoencoder"],
    preset_or_path: str | Path,
    overrides: Mapping[str, object],
) -> AutoencoderConfig: ...
@overload
def load_config(
    stage_name: Literal["slots"], preset_or_path: str | Path, overrides: Mapping[str, object]
) -> SlotsConfig: ...
@overload
def load_config(
    stage_name: Literal["denoiser"], preset_or_path: str | Path, overrides: Mapping[str, object]
) -> DenoiserConfig: ...
@overload
def load_config(
    stage_name: str, preset_or_path: str | Path, overrides: Mapping[str, object]
) -> TrainingConfig: ...
def load_config(
    stage_name: str, preset_or_path: str | Path, overrides: Mapping[str, object]
) -> TrainingConfig:
    """Read the settings of a stage from a preset or a TOML file, then override some.

    Args:
        stage_name: Which table of the file to read.
        preset_or_path: Name of a preset, or path of a file with a table of that stage.
        overrides: New values by field; texts, as a command line has them, are read as TOML values
            unless the field is itself a text. ``"none"`` empties a field that may be empty.

    Returns:
        The settings, checked.

    Raises:
        InputError: If the preset, a field or a value is not a legal one.
    """
    if stage_name not in CONFIGS:
        raise InputError(f"stage must be one of {', '.join(CONFIGS)}, got {stage_name[:64]!r}")
    config_class = CONFIGS[stage_name]
    values: dict[str, Any] = dict(_read_table(stage_name, preset_or_path))
    declared = {one.name: one for one in fields(config_class)}
    for name in (*values, *overrides):
        if name not in declared:
            hint = nearest_name(name, declared)
            raise InputError(f"{stage_name} has no setting {name[:64]!r}{hint}")
    for name, value in overrides.items():
        values[name] = read_text(declared[name], value) if isinstance(value, str) else value
    return make_config(stage_name, values)


def make_config(stage_name: str, values: Mapping[str, object]) -> TrainingConfig:
    """Return the settings of a stage, every value brought into the kind of its field.

    Args:
        stage_name: Which stage.
        values: By field, all of them known; fields that are left out have their defaults.

    Returns:
        The settings, checked.
    """
    declared = {one.name: one for one in fields(CONFIGS[stage_name])}
    legal: dict[str, Any] = {name: checked(declared[name], one) for name, one in values.items()}
    return CONFIGS[stage_name](**legal)


def to_toml(config: TrainingConfig) -> str:
    """Write settings as the TOML that ``load_config`` reads back to an equal value.

    Args:
        config: The settings of any stage.

    Returns:
        One table; fields without a value are left out.
    """
    stage_name = next(name for name, kind in CONFIGS.items() if type(config) is kind)
    rows = [(one.name, getattr(config, one.name)) for one in fields(config)]
    lines = [f"{name} = {toml_value(value)}" for name, value in rows if value is not None]
    return "\n".join([f"[{stage_name}]", *lines, ""])


def _read_table(stage_name: str, preset_or_path: str | Path) -> Mapping[str, object]:
    """Read the table of a stage from a preset or a file."""
    document = PRESET_FILES.read(preset_or_path)
    for name, content in document.items():
        if name not in CONFIGS and not isinstance(content, dict):
            raise InputError(f"{name[:64]!r} stands outside a table; put it under [{stage_name}]")
        if name not in CONFIGS:
            raise InputError(f"settings have no table {name[:64]!r}{nearest_name(name, CONFIGS)}")
    table = document.get(stage_name)
    if not isinstance(table, dict):
        raise InputError(
            f"the settings file needs a table [{stage_name}]; write one, or use a preset"
        )
    return table


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Say which known name somebody may have meant.

    Args:
        name: What was given.
        known: All that there are.

    Returns:
        The end of a sentence that refuses the name.
    """
    nearest = difflib.get_close_matches(name[:64], list(known), n=1, cutoff=0.4)
    if nearest:
        return f"; the nearest is {nearest[0]!r}"
    return f"; it has {', '.join(known)}"
