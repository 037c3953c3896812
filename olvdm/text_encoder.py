"""Turns prompts into one embedding per token, by open_clip's tokenizer and text tower."""

import difflib
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from olvdm.diffusers_api import ConfigMixin, ModelMixin, register_to_config
from olvdm.errors import CheckpointError, InputError, shown_value

# Rows of the small table that stand for no word; the words that we keep come after them.
PAD, UNKNOWN, START, END = range(4)
NUM_SPECIAL = 4
# Start and end in open_clip's own table, where they come after all words.
OPEN_CLIP_MARKS = (49_406, 49_407)
# open_clip's merging is quadratic in the length of a word, and no caption needs a longer one.
LONGEST_WORD = 64


class TextEncoder(ModelMixin, ConfigMixin):
    """Embed prompts: a small tower trained with the model, or any frozen open_clip tower by name.

    The small tower is open_clip's own text transformer over the few tokens that its training met;
    every other word falls on one row, and ``unknown_words`` names it. Tokens see each other in both
    directions, so that each embedding knows its sentence; the places after the end act as registers
    (they read the prompt, no word reads them). A frozen tower is loaded by open_clip when it is
    first needed and never saved: only the projection to ``output_dim`` is.

    Args:
        vocabulary: Ids of open_clip's 49,408 tokens to keep, as ``vocabulary_of`` gives them;
            unused with a frozen tower.
        width: Width of the small tower, a multiple of ``heads``.
        layers: Number of its blocks.
        heads: Number of its attention heads.
        context_length: Places for tokens, start and end among them; a frozen tower has its own.
        output_dim: Width of the embeddings.
        open_clip_model: Name of an open_clip model whose text tower to use, or none for our own.
        pretrained: Tag or weight file of that model, as open_clip understands it.

    Source: OLVDM section 2 (text condition); Radford et al. 2021 (the tower). Ours: the short
    table, since the full one would be most of the numbers that we ship.
    """

    @register_to_config
    def __init__(
        self,
        vocabulary: Sequence[int] = (),
        width: int = 192,
        layers: int = 3,
        heads: int = 4,
        context_length: int = 64,
        output_dim: int = 256,
        open_clip_model: str | None = None,
        pretrained: str | None = None,
    ) -> None:
        super().__init__()
        self.output_dim = output_dim
        self.frozen_name = open_clip_model
        self.frozen_weights = pretrained or ""
        self.row_of = {token: row for row, token in enumerate(_checked(vocabulary), NUM_SPECIAL)}
        self.context_length = context_length
        if open_clip_model is None:
            self.tower = _small_tower(
                NUM_SPECIAL + len(self.row_of), width, layers, heads, context_length
            )
        else:
            width, self.context_length = _frozen_sizes(open_clip_model, pretrained)
        self.projection = nn.Linear(width, output_dim)

    @classmethod
    def vocabulary_of(cls, prompts: Sequence[str]) -> tuple[int, ...]:
        """Collect the tokens that some prompts or words need.

        Args:
            prompts: Captions, or single words.

        Returns:
            Ids in open_clip's table, ascending and each once, without start and end.

        Ours: see the class.
        """
        return tuple(sorted({i for text in prompts for _, ids in _split()(text) for i in ids}))

    def tokenize(self, prompts: Sequence[str]) -> Int[Tensor, "b l"]:
        """Turn prompts into rows of the token table.

        Args:
            prompts: Texts; the empty one is legal, and means no condition.

        Returns:
            Start, words, end and padding in ``context_length`` places; what does not fit is cut
            before the end. A word with any piece outside the vocabulary is one unknown token.

        Source: Radford et al. 2021, for the split into tokens. Ours: one row for unknown words.
        """
        start, end = (START, END) if self.frozen_name is None else OPEN_CLIP_MARKS
        token_ids = torch.full((len(prompts), self.context_length), PAD)
        for row, prompt in zip(token_ids, prompts, strict=True):
            words = self._ids_of(prompt)[: self.context_length - 2]
            row[: len(words) + 2] = torch.tensor([start, *words, end])
        return token_ids

    def forward(self, token_ids: Int[Tensor, "b l"]) -> Float[Tensor, "b l d"]:
        """Embed token rows, each token in the light of its whole prompt.

        Args:
            token_ids: What ``tokenize`` gave.

        Returns:
            One embedding of ``output_dim`` per place, padding included.

        Source: OLVDM section 2. Ours: per-token outputs, which the denoiser attends to.
        """
        if self.frozen_name is None:
            return self.projection(self.tower(token_ids))
        tower = _frozen_tower(self.frozen_name, self.frozen_weights).to(self.device)
        with torch.no_grad():
            _, tokens = tower(token_ids)
        return self.projection(tokens.to(self.projection.weight.dtype))

    def encode(self, prompts: Sequence[str]) -> Float[Tensor, "b l d"]:
        """Embed prompts on the device of the weights; see ``tokenize`` and ``forward``.

        Args:
            prompts: Texts; the empty one is legal.

        Returns:
            One embedding of ``output_dim`` per place.

        Ours: the two steps in one, which is what a pipeline wants.
        """
        return self(self.tokenize(prompts).to(self.device))

    def unknown_words(self, prompt: str) -> tuple[str, ...]:
        """Name the words that this model never met, so that a screen can say so.

        Args:
            prompt: Any text.

        Returns:
            Each such word once, in lower case and in order; none with a frozen tower, which knows
            every token.

        Ours: see the class.
        """
        if self.frozen_name is not None:
            return ()
        return tuple(dict.fromkeys(word for word, ids in _split()(prompt) if not self._knows(ids)))

    def num_tokens_cut(self, prompt: str) -> int:
        """Count the tokens at the end of a prompt that have no place any more.

        Args:
            prompt: Any text.

        Returns:
            How many tokens ``tokenize`` leaves out; 0 where the prompt fits.

        Ours: so that a screen can say what was ignored.
        """
        return max(0, len(self._ids_of(prompt)) + 2 - self.context_length)

    def _knows(self, ids: Sequence[int]) -> bool:
        return len(ids) > 0 and all(token in self.row_of for token in ids)

    def _ids_of(self, prompt: str) -> list[int]:
        if self.frozen_name is not None:
            return _frozen_tokens(self.frozen_name)(prompt)
        rows: list[int] = []
        for _, ids in _split()(prompt):
            rows.extend([self.row_of[i] for i in ids] if self._knows(ids) else [UNKNOWN])
        return rows


def load_named_tower(name: str, pretrained: str | None, output_dim: int) -> TextEncoder:
    """Return a fresh encoder around a tower of open_clip, whose weights are loaded by now.

    Args:
        name: Of the model, as open_clip lists it.
        pretrained: Tag of its weights, likewise.
        output_dim: Width of the embeddings.

    Returns:
        The encoder; saved, it names its tower and holds no copy of it.

    Raises:
        InputError: If a name is unknown, or the weights are a file, which no checkpoint may name.
    """
    if pretrained is not None and Path(pretrained).is_file():
        raise InputError(
            "text_pretrained must be a tag of open_clip and not a weight file, since a checkpoint "
            "may name no file outside itself"
        )
    encoder = TextEncoder(open_clip_model=name, pretrained=pretrained, output_dim=output_dim)
    encoder.encode([""])
    return encoder


@functools.cache
def _split() -> Callable[[str], list[tuple[str, tuple[int, ...]]]]:
    """Build open_clip's tokenizer once: text -> words, each with its token ids."""
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    # A person may type the marks of start and end; they are words like any other that we lack.
    marks = {tokenizer.decoder[token] for token in tokenizer.all_special_ids}

    @functools.lru_cache(maxsize=4096)
    def ids_of(word: str) -> tuple[int, ...]:
        if len(word) > LONGEST_WORD or word in marks:
            return ()
        return tuple(tokenizer.encode(word))

    def split(text: str) -> list[tuple[str, tuple[int, ...]]]:
        words: list[str] = tokenizer.pat.findall(tokenizer.clean_fn(text))
        return [(word, ids_of(word)) for word in words]

    return split


def _checked(vocabulary: Sequence[int]) -> list[int]:
    """Sort the kept tokens, so that equal sets give equal tables; refuse ids without a word."""
    for token in vocabulary:
        if not 0 <= token < OPEN_CLIP_MARKS[0]:
            raise ValueError(f"need tokens from 0 to {OPEN_CLIP_MARKS[0] - 1}, got {token}")
    return sorted(set(vocabulary))


def _small_tower(
    num_rows: int, width: int, layers: int, heads: int, context_length: int
) -> nn.Module:
    """Build open_clip's text transformer so that it returns every token, unpooled."""
    from open_clip.transformer import TextTransformer

    if width % heads:
        raise ValueError(f"need a width that {heads} heads divide, got {width}")
    return TextTransformer(
        context_length=context_length,
        vocab_size=num_rows,
        width=width,
        heads=heads,
        layers=layers,
        output_dim=None,
        no_causal_mask=True,
        use_pad_mask=True,
        pad_id=PAD,
        pool_type="none",
    )


def _frozen_sizes(name: str, pretrained: str | None) -> tuple[int, int]:
    """Read width and context length of an open_clip tower, whose weights are not needed yet."""
    import open_clip

    text_config: dict[str, int] = (open_clip.get_model_config(name) or {}).get("text_cfg", {})
    # The towers of the library "transformers" bring tokenizers that we do not install.
    if {"hf_model_name", "hf_tokenizer_name"} & set(text_config) or "siglip" in name.lower():
        raise InputError(
            f"open_clip_model {name!r} needs a tokenizer outside open_clip; take one with"
            " open_clip's own, such as 'ViT-B-32'"
        )
    if not text_config:
        nearest = difflib.get_close_matches(name, open_clip.list_models(), n=1, cutoff=0.0)
        raise InputError(f"open_clip has no model {name[:64]!r}; the nearest is {nearest[0]!r}")
    tags = open_clip.list_pretrained_tags_by_model(name)
    if pretrained not in tags and not Path(pretrained or "").is_file():
        nearest = difflib.get_close_matches(str(pretrained)[:64], tags, n=1, cutoff=0.0)
        raise InputError(
            f"open_clip has no weights {shown_value(pretrained)} for {name!r}; the nearest tag, of "
            f"text_pretrained in a training, is {nearest[0]!r}"
        )
    return text_config["width"], text_config.get("context_length", 77)


@functools.lru_cache(maxsize=2)
def _frozen_tower(name: str, pretrained: str) -> nn.Module:
    """Load the text half of an open_clip model, once for a process."""
    import open_clip
    from open_clip.transformer import TextTransformer

    try:
        model = open_clip.create_model(
            name, pretrained, force_custom_text=True, require_pretrained=True
        )
    except (RuntimeError, OSError) as error:
        raise CheckpointError(
            f"the weights {pretrained[-64:]!r} of open_clip's {name!r} cannot be loaded; connect to"
            " the network once so that open_clip can fetch them"
        ) from error
    tower = cast("TextTransformer", model.text).eval().requires_grad_(False)
    tower.output_tokens = True
    return tower


@functools.lru_cache(maxsize=2)
def _frozen_tokens(name: str) -> Callable[[str], list[int]]:
    """Build the tokenizer of an open_clip model: text -> ids, without start and end."""
    import open_clip
    from open_clip.tokenizer import SimpleTokenizer

    return cast("SimpleTokenizer", open_clip.get_tokenizer(name)).encode
