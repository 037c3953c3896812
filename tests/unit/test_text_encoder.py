import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict, cast

import pytest
import torch
from safetensors.torch import load_file, save_file

from olvdm.errors import CheckpointError, InputError
from olvdm.text_encoder import END, NUM_SPECIAL, PAD, START, UNKNOWN, TextEncoder

PROMPTS = (
    "a red circle moves right and passes behind a green square",
    "two striped stars bounce; one leaves, and returns.",
)


class TinySizes(TypedDict):
    width: int
    layers: int
    heads: int
    context_length: int
    output_dim: int


TINY = TinySizes(width=16, layers=2, heads=2, context_length=20, output_dim=12)


def make_encoder(prompts: Sequence[str] = PROMPTS) -> TextEncoder:
    torch.manual_seed(0)
    return TextEncoder(vocabulary=TextEncoder.vocabulary_of(prompts), **TINY).eval()


def open_clip_ids(prompt: str) -> list[int]:
    import open_clip

    ids = open_clip.tokenize([prompt], context_length=77)[0]
    return ids[1 : int(ids.argmax())].tolist()


def add_tiny_open_clip_model(folder: Path) -> str:
    """Register a model of a few numbers with open_clip and write weights for it."""
    import open_clip

    text = {"context_length": 12, "vocab_size": 49408, "width": 8, "heads": 2, "layers": 1}
    vision = {"image_size": 16, "layers": 1, "width": 8, "patch_size": 8, "head_width": 4}
    config = {"embed_dim": 8, "vision_cfg": vision, "text_cfg": text}
    (folder / "tiny-clip.json").write_text(json.dumps(config))
    open_clip.add_model_config(folder / "tiny-clip.json")
    torch.manual_seed(0)
    weights = open_clip.create_model("tiny-clip").state_dict()
    save_file(
        {name: value.contiguous() for name, value in weights.items()},
        folder / "weights.safetensors",
    )
    return str(folder / "weights.safetensors")


def test_known_words_have_the_ids_of_open_clip() -> None:
    encoder = make_encoder()
    kept = TextEncoder.vocabulary_of(PROMPTS)
    row = encoder.tokenize(PROMPTS[:1])[0]
    words = row[(row >= NUM_SPECIAL)].tolist()
    assert [kept[word - NUM_SPECIAL] for word in words] == open_clip_ids(PROMPTS[0])


def test_a_prompt_lies_between_start_and_end() -> None:
    row = make_encoder().tokenize(["red circle"])[0].tolist()
    assert (row[0], row[3], set(row[4:])) == (START, END, {PAD})


def test_unknown_words_share_one_row() -> None:
    row = make_encoder().tokenize(["a xylophone moves zzyzx"])[0].tolist()
    assert [row[2], row[4]] == [UNKNOWN, UNKNOWN]


def test_unknown_words_are_named_once_in_order() -> None:
    unknown = make_encoder().unknown_words("A Xylophone moves behind a dragon, a xylophone")
    assert unknown == ("xylophone", "dragon")


def test_words_of_the_training_are_known() -> None:
    assert make_encoder().unknown_words(PROMPTS[1]) == ()


def test_a_typed_end_mark_is_only_an_unknown_word() -> None:
    assert make_encoder().tokenize(["red <end_of_text>"])[0, 2] == UNKNOWN


def test_a_word_of_a_million_letters_is_unknown_at_once() -> None:
    assert make_encoder().tokenize(["x" * 1_000_000])[0, 1] == UNKNOWN


def test_the_part_that_is_cut_is_counted() -> None:
    assert make_encoder().num_tokens_cut("red " * 21) == 3


def test_a_cut_prompt_still_ends() -> None:
    assert make_encoder().tokenize(["red " * 50])[0, -1] == END


def test_a_prompt_that_fits_loses_nothing() -> None:
    assert make_encoder().num_tokens_cut(PROMPTS[0]) == 0


def test_embeddings_have_one_row_per_place() -> None:
    assert make_encoder().encode(PROMPTS).shape == (2, 20, 12)


def test_the_empty_prompt_has_finite_embeddings() -> None:
    assert make_encoder().encode([""]).isfinite().all()


def test_the_order_of_words_matters() -> None:
    first, second = make_encoder().encode(["red green", "green red"])
    assert not torch.allclose(first[0], second[0], atol=1e-4)


def test_no_word_reads_the_padding() -> None:
    encoder = make_encoder()
    ids = encoder.tokenize(["red circle"])
    torch.testing.assert_close(encoder(ids)[:, :4], encoder(ids[:, :4]), atol=1e-5, rtol=0)


def test_a_row_of_a_batch_equals_its_own_call() -> None:
    encoder = make_encoder()
    alone = torch.cat([encoder.encode([prompt]) for prompt in (*PROMPTS, "")])
    torch.testing.assert_close(encoder.encode([*PROMPTS, ""]), alone, atol=1e-5, rtol=0)


def test_gradient_reaches_every_parameter() -> None:
    encoder = make_encoder()
    encoder.encode([*PROMPTS, "", "dragon"]).square().sum().backward()
    still = [
        name for name, p in encoder.named_parameters() if p.grad is None or not p.grad.abs().sum()
    ]
    assert still == []


def test_saved_and_loaded_encoders_agree_bit_for_bit(tmp_path: Path) -> None:
    encoder = make_encoder()
    encoder.save_pretrained(tmp_path)
    loaded, info = cast("Any", TextEncoder).from_pretrained(tmp_path, output_loading_info=True)
    assert not any(info.values())
    assert torch.equal(loaded.eval().encode(PROMPTS), encoder.encode(PROMPTS))


def test_weights_hold_only_the_kept_rows(tmp_path: Path) -> None:
    vocabulary = TextEncoder.vocabulary_of(PROMPTS)
    TextEncoder(vocabulary=vocabulary).bfloat16().save_pretrained(tmp_path)
    weights = load_file(tmp_path / "diffusion_pytorch_model.safetensors")
    assert weights["tower.token_embedding.weight"].shape[0] == NUM_SPECIAL + len(vocabulary)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 3_000_000


def test_order_of_the_vocabulary_changes_nothing() -> None:
    kept = TextEncoder.vocabulary_of(PROMPTS)
    turned = TextEncoder(vocabulary=[*reversed(kept), kept[0]], **TINY)
    assert torch.equal(turned.tokenize(PROMPTS), make_encoder().tokenize(PROMPTS))


def test_a_token_outside_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="49406"):
        TextEncoder(vocabulary=[49_406], **TINY)


def test_a_frozen_tower_embeds_with_its_own_weights(tmp_path: Path) -> None:
    import open_clip

    weights = add_tiny_open_clip_model(tmp_path)
    encoder = TextEncoder(open_clip_model="tiny-clip", pretrained=weights, output_dim=12).eval()
    model = cast("Any", open_clip.create_model("tiny-clip", weights, force_custom_text=True))
    model.text.output_tokens = True
    ids = open_clip.get_tokenizer("tiny-clip")(["a red dragon", "", "red " * 30])
    expected = encoder.projection(model.text(ids)[1])
    torch.testing.assert_close(encoder.encode(["a red dragon", "", "red " * 30]), expected)


def test_a_frozen_tower_is_neither_saved_nor_trained(tmp_path: Path) -> None:
    weights = add_tiny_open_clip_model(tmp_path)
    encoder = TextEncoder(open_clip_model="tiny-clip", pretrained=weights, output_dim=12)
    encoder.encode(["red"]).sum().backward()
    assert [name for name, _ in encoder.named_parameters()] == [
        "projection.weight",
        "projection.bias",
    ]


def test_a_frozen_tower_survives_saving(tmp_path: Path) -> None:
    weights = add_tiny_open_clip_model(tmp_path)
    encoder = TextEncoder(open_clip_model="tiny-clip", pretrained=weights, output_dim=12)
    encoder.save_pretrained(tmp_path / "saved")
    loaded = TextEncoder.from_pretrained(tmp_path / "saved")
    assert torch.equal(loaded.encode(["red"]), encoder.encode(["red"]))


def test_a_frozen_tower_knows_every_word(tmp_path: Path) -> None:
    weights = add_tiny_open_clip_model(tmp_path)
    encoder = TextEncoder(open_clip_model="tiny-clip", pretrained=weights)
    assert (encoder.unknown_words("dragon"), encoder.num_tokens_cut("red " * 30)) == ((), 20)


def test_a_misspelt_open_clip_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="'ViT-B-32'"):
        TextEncoder(open_clip_model="ViT-B-33x", pretrained="openai")


def test_a_misspelt_tag_is_answered_with_the_legal_ones() -> None:
    with pytest.raises(InputError, match="openai"):
        TextEncoder(open_clip_model="ViT-B-32", pretrained="opnai")


def test_a_tower_with_a_foreign_tokenizer_is_refused() -> None:
    with pytest.raises(InputError, match="tokenizer"):
        TextEncoder(open_clip_model="roberta-ViT-B-32", pretrained="laion2b_s12b_b32k")


def test_unreadable_weights_are_a_checkpoint_error(tmp_path: Path) -> None:
    add_tiny_open_clip_model(tmp_path)
    save_file({"nothing": torch.zeros(1)}, tmp_path / "other.safetensors")
    encoder = TextEncoder(
        open_clip_model="tiny-clip", pretrained=str(tmp_path / "other.safetensors")
    )
    with pytest.raises(CheckpointError, match="connect to the network") as caught:
        encoder.encode(["red"])
    assert str(tmp_path) not in caught.value.user_message


def test_importing_the_module_does_not_import_open_clip() -> None:
    program = "import sys, olvdm.text_encoder; sys.exit('open_clip' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
