import hashlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch

from olvdm.diffusers_api import FlowMatchEulerDiscreteScheduler
from olvdm.errors import CheckpointError, InputError, OlvdmError
from olvdm.frame_conditioning import encode_given_frames
from olvdm.generation import Generation, OLVDMPipelineOutput
from olvdm.pipeline import OLVDMPipeline
from olvdm.sampling import DenoisingStep
from olvdm.slot_selection import SlotSelection
from olvdm.video import clip_to_frames, frames_to_clip
from tests.tiny_networks import PROMPTS
from tests.tiny_networks import tiny_pipeline as make_pipeline


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draw(pipeline: OLVDMPipeline, *prompts: str, seeds: tuple[int, ...] = (0,), **kwargs: Any):
    settings: dict[str, Any] = {"num_frames": 6, "num_inference_steps": 2, **kwargs}
    generators = [seeded(seed) for seed in seeds]
    return pipeline(list(prompts or PROMPTS[:1]), generator=generators, **settings)


def digest(frames: np.ndarray) -> str:
    return hashlib.sha256(frames.tobytes()).hexdigest()


def shapes_clip(num_frames: int = 5, height: int = 32, width: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (num_frames, height, width, 3), dtype=np.uint8)


def test_output_says_everything_of_every_clip(tiny_pipeline: OLVDMPipeline) -> None:
    output = draw(tiny_pipeline, *PROMPTS, seeds=(0, 1))
    shapes = {name: tuple(value.shape) for name, value in output.items()}
    assert shapes == {
        "frames": (2, 6, 32, 32, 3),
        "uint8_frames": (2, 6, 32, 32, 3),
        "latents": (2, 4, 3, 8, 8),
        "slots": (2, 6, 4, 16),
        "attention_masks": (2, 6, 4, 8, 8),
        "alpha_masks": (2, 6, 4, 32, 32),
        "correlation": (2, 6, 6, 4, 4),
        "presence": (2, 6, 4),
        "assignment": (2, 6, 4),
        "candidates": (2,),
    }


@pytest.mark.parametrize("num_frames", [1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 96, 130, 256])
def test_returned_length_is_the_asked_length(tiny_pipeline: OLVDMPipeline, num_frames: int) -> None:
    output = draw(tiny_pipeline, num_frames=num_frames, num_inference_steps=1)
    assert output.uint8_frames.shape[1] == num_frames


def test_every_pair_of_frames_of_the_longest_clip_is_compared(
    tiny_pipeline: OLVDMPipeline,
) -> None:
    output = draw(tiny_pipeline, num_frames=256, num_inference_steps=1)
    assert output.correlation.shape == (1, 256, 256, 4, 4)
    assert output.assignment.shape == (1, 256, 4)


def test_given_clip_is_continued_beyond_what_a_server_draws(tiny_pipeline: OLVDMPipeline) -> None:
    output = draw(tiny_pipeline, num_frames=96, num_inference_steps=1, given_frames=shapes_clip(16))
    assert output.uint8_frames.shape[1] == 96


@pytest.mark.parametrize(("height", "width"), [(32, 48), (48, 32), (64, 64)])
def test_returned_size_is_the_asked_size(
    tiny_pipeline: OLVDMPipeline, height: int, width: int
) -> None:
    output = draw(tiny_pipeline, height=height, width=width)
    assert output.uint8_frames.shape[2:4] == output.alpha_masks.shape[3:] == (height, width)


def test_same_seed_same_frames() -> None:
    first, second = (draw(make_pipeline(), seeds=(7,)).uint8_frames for _ in "12")
    assert digest(first) == digest(second)


def test_other_seed_other_frames(tiny_pipeline: OLVDMPipeline) -> None:
    first, second = (draw(tiny_pipeline, seeds=(seed,)).uint8_frames for seed in (0, 1))
    assert digest(first) != digest(second)


@pytest.mark.parametrize("scale", [1, 3.0])
def test_embeddings_of_a_prompt_draw_its_frames(tiny_pipeline: OLVDMPipeline, scale: float) -> None:
    texts = {"negative_prompt": PROMPTS[1], "guidance_scale": scale}
    wanted = draw(tiny_pipeline, *PROMPTS, seeds=(0, 1), **texts)
    embeds = torch.cat([tiny_pipeline.encode_prompt(prompt) for prompt in PROMPTS])
    found = tiny_pipeline(
        prompt_embeds=embeds,
        negative_prompt_embeds=tiny_pipeline.encode_prompt(PROMPTS[1]),
        guidance_scale=scale,
        num_frames=6,
        num_inference_steps=2,
        generator=[seeded(0), seeded(1)],
    )
    assert digest(found.uint8_frames) == digest(wanted.uint8_frames)


def test_each_clip_steers_away_from_its_own_embeddings(tiny_pipeline: OLVDMPipeline) -> None:
    embeds = torch.cat([tiny_pipeline.encode_prompt(prompt) for prompt in PROMPTS])
    settings: dict[str, Any] = {"num_frames": 6, "num_inference_steps": 2, "output_type": "latent"}
    both = tiny_pipeline(
        prompt_embeds=embeds,
        negative_prompt_embeds=embeds.flip(0),
        generator=[seeded(0), seeded(1)],
        **settings,
    )
    alone = draw(tiny_pipeline, PROMPTS[1], seeds=(1,), negative_prompt=PROMPTS[0], **settings)
    assert torch.equal(both.latents[1:], alone.latents)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [((1, 12, 11), "prompt_embeds must be 12 wide for this model, got 11"), ((1, 5, 12), "long")],
)
def test_embeddings_of_another_model_are_refused(
    tiny_pipeline: OLVDMPipeline, shape: tuple[int, ...], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        tiny_pipeline(prompt_embeds=torch.zeros(shape), num_frames=6)


def test_other_prompt_other_frames(tiny_pipeline: OLVDMPipeline) -> None:
    first, second = (draw(tiny_pipeline, prompt).uint8_frames for prompt in PROMPTS)
    assert digest(first) != digest(second)


def test_frames_do_not_depend_on_the_global_seed(tiny_pipeline: OLVDMPipeline) -> None:
    first = draw(tiny_pipeline).uint8_frames
    torch.manual_seed(99)
    assert digest(draw(tiny_pipeline).uint8_frames) == digest(first)


def test_list_of_prompts_gives_each_clip_byte_for_byte_as_alone(
    tiny_pipeline: OLVDMPipeline,
) -> None:
    together = draw(tiny_pipeline, *PROMPTS, PROMPTS[0], seeds=(3, 4, 5))
    alone = [
        draw(tiny_pipeline, prompt, seeds=(seed,))
        for prompt, seed in zip((*PROMPTS, PROMPTS[0]), (3, 4, 5), strict=True)
    ]
    assert [digest(clip) for clip in together.uint8_frames] == [
        digest(one.uint8_frames[0]) for one in alone
    ]
    assert all(torch.equal(together.slots[i], one.slots[0]) for i, one in enumerate(alone))


def test_stream_that_was_left_half_way_leaves_no_trace(tiny_pipeline: OLVDMPipeline) -> None:
    wanted = draw(tiny_pipeline).uint8_frames
    stream = tiny_pipeline.stream(Generation(prompt="x", num_frames=9, generator=seeded(1)))
    next(stream)
    del stream
    assert digest(draw(tiny_pipeline).uint8_frames) == digest(wanted)


def test_stream_hands_over_every_step_and_last_the_clips(tiny_pipeline: OLVDMPipeline) -> None:
    *steps, output = tiny_pipeline.stream(
        Generation(prompt=PROMPTS, num_frames=6, num_inference_steps=2)
    )
    assert [(step.clip, step.step) for step in steps if isinstance(step, DenoisingStep)] == [
        (0, 1),
        (0, 2),
        (1, 1),
        (1, 2),
    ]
    assert isinstance(output, OLVDMPipelineOutput)


def let_slots_say(monkeypatch: pytest.MonkeyPatch, constancy: list[float]) -> list[int]:
    """Have the slots of each noise be as steady as told; return which were looked at."""
    asked: list[int] = []

    def answer(_: SlotSelection, __: torch.Tensor, candidate: int) -> float:
        asked.append(candidate)
        return constancy[candidate]

    monkeypatch.setattr(SlotSelection, "constancy", answer)
    return asked


@pytest.mark.parametrize(
    ("constancy", "kept"),
    [
        ([0.5, 0.4, 0.3], 0),
        ([0.5, 0.7, 0.7], 1),
        ([0.5, 0.6, 0.99], 2),
        ([0.97, 0.98, 0.99], 0),  # the first will do
    ],
)
def test_kept_candidate_is_the_clip_of_its_noise_byte_for_byte(
    tiny_pipeline: OLVDMPipeline,
    monkeypatch: pytest.MonkeyPatch,
    constancy: list[float],
    kept: int,
) -> None:
    generator = seeded(3)
    alone = [
        tiny_pipeline(PROMPTS[0], num_frames=6, num_inference_steps=4, generator=generator)
        for _ in range(3)
    ]
    assert len({digest(one.uint8_frames) for one in alone}) == 3
    let_slots_say(monkeypatch, constancy)
    found = draw(tiny_pipeline, seeds=(3,), num_inference_steps=4, num_candidates=3)
    assert digest(found.uint8_frames) == digest(alone[kept].uint8_frames)
    assert found.candidates.tolist() == [kept]


def test_other_noises_are_drawn_only_where_the_first_falls_short(
    tiny_pipeline: OLVDMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = let_slots_say(monkeypatch, [1.0, 1.0, 1.0])
    draw(tiny_pipeline, num_inference_steps=4, num_candidates=3)
    assert asked == [0]
    asked = let_slots_say(monkeypatch, [0.1, 0.1, 0.1])
    draw(tiny_pipeline, num_inference_steps=4, num_candidates=3)
    assert set(asked) == {0, 1, 2}


@pytest.mark.parametrize(
    ("constancy", "agreement", "kept"),
    [
        ([0.5, 0.5, 0.5], [0.1, 0.3, 0.2], 1),
        ([0.5, 0.5, 0.5], [0.3, 0.1, 0.2], 0),
        ([0.5, 0.6, 0.5], [0.3, 0.1, 0.2], 1),  # constancy counts for more
        ([0.97, 0.5, 0.5], [0.1, 0.3, 0.2], 0),  # a steady one is not asked
    ],
)
def test_of_equally_steady_candidates_the_one_that_shows_its_prompt_is_kept(
    tiny_pipeline: OLVDMPipeline,
    monkeypatch: pytest.MonkeyPatch,
    constancy: list[float],
    agreement: list[float],
    kept: int,
) -> None:
    numbers: dict[float, int] = {}

    def look(_: SlotSelection, latents: torch.Tensor, candidate: int) -> float:
        numbers[float(latents.sum())] = candidate
        return constancy[candidate]

    def agree(_: object, latents: torch.Tensor, **__: object) -> float:
        return agreement[numbers[float(latents.sum())]]

    monkeypatch.setattr(SlotSelection, "constancy", look)
    monkeypatch.setattr("olvdm.sampling.prompt_agreement", agree)
    found = draw(tiny_pipeline, seeds=(3,), num_inference_steps=4, num_candidates=3)
    assert found.candidates.tolist() == [kept]


@pytest.mark.parametrize(
    ("half_way", "at_the_end", "kept"),
    [
        ([0.5, 0.6, 0.7], [0.5, 0.6, 0.5], 1),
        ([0.5, 0.6, 0.7], [0.9, 0.6, 0.7], 2),  # the first is no longer drawn
        ([0.97, 0.6, 0.7], [0.1, 0.6, 0.7], 0),
    ],
)
def test_of_the_best_two_half_way_the_steadier_at_its_end_is_kept(
    tiny_pipeline: OLVDMPipeline,
    monkeypatch: pytest.MonkeyPatch,
    half_way: list[float],
    at_the_end: list[float],
    kept: int,
) -> None:
    seen: set[int] = set()

    def look(_: SlotSelection, __: torch.Tensor, candidate: int) -> float:
        answers = at_the_end if candidate in seen else half_way
        seen.add(candidate)
        return answers[candidate]

    monkeypatch.setattr(SlotSelection, "constancy", look)
    found = draw(tiny_pipeline, seeds=(3,), num_inference_steps=4, num_candidates=3)
    assert found.candidates.tolist() == [kept]


def test_every_candidate_is_drawn_in_the_autocast_of_the_caller(
    tiny_pipeline: OLVDMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_slots_say(monkeypatch, [0.1, 0.2, 0.3])
    seen: list[tuple[bool, torch.dtype]] = []

    def look(*_: object) -> None:
        seen.append((torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")))

    hook = tiny_pipeline.denoiser.register_forward_pre_hook(look)
    with torch.autocast("cpu", torch.bfloat16):
        draw(tiny_pipeline, num_inference_steps=4, num_candidates=3)
    hook.remove()
    assert set(seen) == {(True, torch.bfloat16)}


@pytest.mark.parametrize("num_frames", [6, 16])
def test_step_that_goes_on_from_another_noise_tells_the_way_from_it(
    tiny_pipeline: OLVDMPipeline, monkeypatch: pytest.MonkeyPatch, num_frames: int
) -> None:
    def steps(num_candidates: int) -> list[DenoisingStep]:
        generation = Generation(
            prompt=PROMPTS[0],
            num_frames=num_frames,
            num_inference_steps=5,
            num_candidates=num_candidates,
            generator=seeded(3),
        )
        *found, _ = tiny_pipeline.stream(generation)
        return [one for one in found if isinstance(one, DenoisingStep)]

    first = [one.predicted for one in steps(1)]
    let_slots_say(monkeypatch, [0.1, 0.2])
    told = steps(2)[:5]  # the first window
    (number,) = [place for place, one in enumerate(told) if one.retold]
    assert 0 < number == [one.candidate for one in told].index(1)
    assert len(told[number].retold) == number
    for place, (before, after) in enumerate(zip(first, told[number].retold, strict=False)):
        assert torch.equal(before, told[place].predicted)
        assert before.shape == after.shape
        assert not torch.equal(before, after)


@pytest.mark.parametrize("num_inference_steps", [1, 2, 10])
def test_candidates_add_no_steps(tiny_pipeline: OLVDMPipeline, num_inference_steps: int) -> None:
    *steps, _ = tiny_pipeline.stream(
        Generation(
            prompt="x", num_frames=6, num_inference_steps=num_inference_steps, num_candidates=3
        )
    )
    counted = [(one.step, one.num_steps) for one in steps if isinstance(one, DenoisingStep)]
    assert counted == [(1 + n, num_inference_steps) for n in range(num_inference_steps)]


def test_candidates_are_chosen_anew_in_every_window_of_a_long_clip(
    tiny_pipeline: OLVDMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = let_slots_say(monkeypatch, [0.1, 0.2])
    output = draw(tiny_pipeline, num_frames=16, num_candidates=2)
    assert output.uint8_frames.shape[1] == 16
    assert asked.count(0) == asked.count(1) > 1


def test_stream_leaves_gradients_as_they_were(tiny_pipeline: OLVDMPipeline) -> None:
    stream = tiny_pipeline.stream(Generation(prompt="x", num_frames=4, num_inference_steps=2))
    step = next(stream)
    assert isinstance(step, DenoisingStep)
    assert not step.latents.requires_grad
    assert torch.is_grad_enabled()


def test_callback_sees_every_step(tiny_pipeline: OLVDMPipeline) -> None:
    seen: list[tuple[int, float, list[str]]] = []

    def callback(_: object, step: int, timestep: float, tensors: dict[str, object]) -> None:
        seen.append((step, timestep, sorted(tensors)))

    draw(tiny_pipeline, callback_on_step_end=callback)
    assert [(step, names) for step, _, names in seen] == [
        (0, ["latents", "predicted"]),
        (1, ["latents", "predicted"]),
    ]
    assert seen[0][1] == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("number", [0, 1])
def test_callback_that_writes_into_a_step_changes_no_clip(
    tiny_pipeline: OLVDMPipeline, number: int
) -> None:
    def scribble(_: object, step: int, __: float, tensors: dict[str, torch.Tensor]) -> None:
        for tensor in tensors.values() if step == number else ():
            tensor.zero_()

    plain = draw(tiny_pipeline)
    assert torch.equal(draw(tiny_pipeline, callback_on_step_end=scribble).latents, plain.latents)


def test_streams_of_one_pipeline_may_take_turns(tiny_pipeline: OLVDMPipeline) -> None:
    def begin(seed: int) -> Iterator[DenoisingStep | OLVDMPipelineOutput]:
        generator = torch.Generator().manual_seed(seed)
        asked = Generation(
            prompt=PROMPTS[0], num_frames=8, num_inference_steps=4, generator=generator
        )
        return tiny_pipeline.stream(asked)

    alone = [list(begin(seed))[-2] for seed in (0, 1)]
    together = list(zip(begin(0), begin(1), strict=True))[-2]
    for one, other in zip(alone, together, strict=True):
        assert isinstance(one, DenoisingStep)
        assert isinstance(other, DenoisingStep)
        assert torch.equal(one.latents, other.latents)


def test_callback_may_stop_the_drawing(tiny_pipeline: OLVDMPipeline) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw(tiny_pipeline, callback_on_step_end=stop)


def test_guidance_of_one_calls_the_denoiser_once_a_step_for_one_clip(
    tiny_pipeline: OLVDMPipeline,
) -> None:
    sizes: list[int] = []
    tiny_pipeline.denoiser.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    draw(tiny_pipeline, guidance_scale=1)
    assert sizes == [1, 1]


def test_no_negative_prompt_is_an_empty_one(tiny_pipeline: OLVDMPipeline) -> None:
    none, empty = (draw(tiny_pipeline, negative_prompt=one).uint8_frames for one in (None, ""))
    assert digest(none) == digest(empty)


@pytest.mark.parametrize("places", [[0], [0, 5], [2, 3], [0, 1, 2, 3]])
def test_given_latents_come_back_unchanged(tiny_pipeline: OLVDMPipeline, places: list[int]) -> None:
    frames = shapes_clip(len(places))
    output = draw(tiny_pipeline, given_frames=frames, given_places=places)
    known = encode_given_frames(tiny_pipeline.autoencoder, torch.from_numpy(frames), places, 3)
    is_given = known.is_given[0]
    assert is_given.any()
    assert torch.equal(output.latents[:, :, is_given], known.latents[:, :, is_given])


def test_given_frames_of_another_size_are_fitted(tiny_pipeline: OLVDMPipeline) -> None:
    output = draw(tiny_pipeline, given_frames=shapes_clip(1, 50, 70))
    assert output.uint8_frames.shape == (1, 6, 32, 32, 3)


@pytest.mark.parametrize("output_type", ["np", "pt", "pil", "latent"])
def test_every_output_type_comes_with_the_frames_to_show(
    tiny_pipeline: OLVDMPipeline, output_type: str
) -> None:
    output = draw(tiny_pipeline, output_type=output_type)
    assert len(output.frames) == 1
    assert output.uint8_frames.dtype == np.uint8


def test_frames_are_the_decoded_latents(tiny_pipeline: OLVDMPipeline) -> None:
    output = draw(tiny_pipeline, num_frames=5)
    wanted = clip_to_frames(tiny_pipeline.autoencoder.decode(output.latents))[:, :5]
    np.testing.assert_array_equal(output.uint8_frames, wanted)


def test_slots_of_a_clip_are_those_of_its_inspection(tiny_pipeline: OLVDMPipeline) -> None:
    output = draw(tiny_pipeline)
    found = tiny_pipeline.inspect(output.uint8_frames[0])
    assert torch.equal(found.slots, output.slots)
    assert torch.equal(found.assignment, output.assignment)


def test_numeric_failure_says_at_which_step(tiny_pipeline: OLVDMPipeline) -> None:
    with torch.no_grad():
        tiny_pipeline.denoiser.norm.weight.fill_(float("inf"))
    with pytest.raises(OlvdmError, match="numeric failure at step 1"):
        draw(tiny_pipeline)


@pytest.mark.parametrize(
    ("num_frames", "height", "width"),
    [(1, 32, 32), (5, 32, 32), (8, 20, 70), (3, 200, 10), (9, 1, 1)],
)
def test_clip_of_any_size_can_be_inspected(
    tiny_pipeline: OLVDMPipeline, num_frames: int, height: int, width: int
) -> None:
    found = tiny_pipeline.inspect(shapes_clip(num_frames, height, width))
    assert found.slots.shape == (1, num_frames, 4, 16)
    assert found.alpha_masks.shape == (1, num_frames, 4, height, width)
    assert found.correlation.shape == (1, num_frames, num_frames, 4, 4)


@pytest.mark.parametrize("num_slots", [2, 11])
def test_number_of_slots_can_be_chosen(tiny_pipeline: OLVDMPipeline, num_slots: int) -> None:
    assert tiny_pipeline.inspect(shapes_clip(), num_slots).slots.shape[2] == num_slots


def test_every_video_frame_has_slots_of_its_own(tiny_pipeline: OLVDMPipeline) -> None:
    frames = shapes_clip(4)
    changed = frames.copy()
    changed[3] = 255 - changed[3]
    first, second = tiny_pipeline.inspect(frames), tiny_pipeline.inspect(changed)
    assert torch.equal(first.slots[:, :3], second.slots[:, :3])
    assert not torch.equal(first.slots[:, 3], second.slots[:, 3])


@pytest.mark.parametrize("frames", [shapes_clip()[::-1], np.asfortranarray(shapes_clip())])
def test_memory_layout_of_the_frames_does_not_matter(
    tiny_pipeline: OLVDMPipeline, frames: np.ndarray
) -> None:
    wanted = tiny_pipeline.inspect(np.ascontiguousarray(frames))
    assert torch.equal(tiny_pipeline.inspect(frames).slots, wanted.slots)


def test_frames_that_must_not_be_written_can_be_inspected(tiny_pipeline: OLVDMPipeline) -> None:
    frames = np.frombuffer(shapes_clip().tobytes(), np.uint8).reshape(5, 32, 32, 3)
    assert not frames.flags.writeable
    tiny_pipeline.inspect(frames)


def test_adapting_changes_the_answer_and_not_the_model(tiny_pipeline: OLVDMPipeline) -> None:
    frames = shapes_clip()
    before = tiny_pipeline.inspect(frames)
    adapted = tiny_pipeline.inspect(frames, adapt_steps=3)
    assert not torch.equal(adapted.slots, before.slots)
    assert torch.equal(tiny_pipeline.inspect(frames).slots, before.slots)


def test_adapting_tells_how_far_it_is(tiny_pipeline: OLVDMPipeline) -> None:
    steps: list[tuple[int, int]] = []

    def progress(step: int, num_steps: int, loss: float) -> None:
        assert loss > 0
        steps.append((step, num_steps))

    tiny_pipeline.inspect(shapes_clip(), adapt_steps=3, progress=progress)
    assert steps == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"num_slots": 1}, "num_slots must be a whole number from 2 to 11, got 1"),
        ({"num_slots": 12}, "num_slots must be a whole number from 2 to 11, got 12"),
        ({"adapt_steps": -1}, "adapt_steps must be a whole number from 0 to 200, got -1"),
        ({"adapt_steps": 10**9}, "adapt_steps must be a whole number from 0 to 200"),
    ],
)
def test_inspection_refuses_numbers_out_of_range(
    tiny_pipeline: OLVDMPipeline, settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        tiny_pipeline.inspect(shapes_clip(), **settings)


def test_inspection_refuses_what_is_no_video(tiny_pipeline: OLVDMPipeline) -> None:
    with pytest.raises(InputError, match="frames must be uint8 frames of shape t h w 3"):
        tiny_pipeline.inspect(shapes_clip()[:0])


def test_illegal_generation_is_refused_before_anything_is_drawn(
    tiny_pipeline: OLVDMPipeline,
) -> None:
    tiny_pipeline.denoiser.register_forward_pre_hook(lambda *_: pytest.fail("drawn"))
    with pytest.raises(InputError, match="num_frames"):
        draw(tiny_pipeline, num_frames=257)


@pytest.mark.parametrize("prompts", [["a" * 10**6], [*PROMPTS, "a" * 10**6]])
def test_endless_prompt_is_refused_before_it_is_tokenized(
    tiny_pipeline: OLVDMPipeline, monkeypatch: pytest.MonkeyPatch, prompts: list[str]
) -> None:
    monkeypatch.setattr(tiny_pipeline, "encode_prompt", lambda _: pytest.fail("encoded"))
    with pytest.raises(InputError, match=r"has 1,000,000 characters; shorten it to at most 300\."):
        tiny_pipeline(prompts)


def test_stored_prompt_is_the_encoded_prompt(tiny_pipeline: OLVDMPipeline) -> None:
    wanted = draw(tiny_pipeline).uint8_frames
    tiny_pipeline.store_prompts(PROMPTS)
    assert {"", *PROMPTS} <= tiny_pipeline.prompt_embeds.keys()
    assert digest(draw(tiny_pipeline).uint8_frames) == digest(wanted)


def test_single_prompt_is_stored_whole(tiny_pipeline: OLVDMPipeline) -> None:
    tiny_pipeline.store_prompts(PROMPTS[0])
    assert tiny_pipeline.prompt_embeds.keys() == {"", PROMPTS[0]}


@pytest.mark.parametrize("prompt", [None, ["a"], "a" * 301])
def test_what_is_no_prompt_is_not_encoded(tiny_pipeline: OLVDMPipeline, prompt: object) -> None:
    with pytest.raises(InputError, match="prompt "):
        inspect.unwrap(OLVDMPipeline.encode_prompt)(tiny_pipeline, cast("str", prompt))


def test_latents_are_not_decoded_to_less_than_one_frame(tiny_pipeline: OLVDMPipeline) -> None:
    with pytest.raises(InputError, match="num_frames must be a whole number from 1 to 256, got 0"):
        tiny_pipeline.decode_latents(draw(tiny_pipeline).latents, num_frames=0)


def test_stored_prompt_never_reaches_the_text_encoder(tiny_pipeline: OLVDMPipeline) -> None:
    tiny_pipeline.store_prompts(PROMPTS)
    tiny_pipeline.text_encoder.register_forward_pre_hook(lambda *_: pytest.fail("encoded"))
    draw(tiny_pipeline)


def test_save_and_load_give_the_same_frames(tmp_path: Path, tiny_pipeline: OLVDMPipeline) -> None:
    tiny_pipeline.save_pretrained(tmp_path / "model")
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "model", torch.float32)
    assert digest(draw(loaded).uint8_frames) == digest(draw(tiny_pipeline).uint8_frames)


def test_save_and_load_keep_every_weight_bit_for_bit(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline
) -> None:
    tiny_pipeline.save_pretrained(tmp_path / "model")
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "model", torch.float32)
    for name in ("autoencoder", "text_encoder", "slot_encoder", "slot_decoder", "denoiser"):
        before, after = (getattr(one, name).state_dict() for one in (tiny_pipeline, loaded))
        assert before.keys() == after.keys()
        assert all(torch.equal(before[key], after[key]) for key in before), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_loaded_model_saves_the_same_files(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline, dtype: torch.dtype
) -> None:
    tiny_pipeline.store_prompts(PROMPTS)
    for name in ("autoencoder", "text_encoder", "slot_encoder", "slot_decoder", "denoiser"):
        getattr(tiny_pipeline, name).to(dtype)
    tiny_pipeline.save_pretrained(tmp_path / "first", {"data": "circles"})
    OLVDMPipeline.from_pretrained(tmp_path / "first", dtype).save_pretrained(tmp_path / "second")
    first, second = (
        {
            path.relative_to(tmp_path / name).as_posix(): path.read_bytes()
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("first", "second")
    )
    assert first == second


def test_saved_model_names_no_folder_of_this_machine(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline
) -> None:
    tiny_pipeline.save_pretrained(tmp_path / "first")
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "first")
    loaded.save_pretrained(tmp_path / "second")
    text = b"".join(path.read_bytes() for path in (tmp_path / "second").rglob("*.*"))
    assert str(tmp_path).encode() not in text


def test_what_is_known_of_a_model_travels_with_it(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline
) -> None:
    tiny_pipeline.save_pretrained(tmp_path / "first", {"steps": 3})
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "first")
    assert loaded.about == {"steps": 3}


def test_prompts_are_stored_with_the_model(tmp_path: Path, tiny_pipeline: OLVDMPipeline) -> None:
    tiny_pipeline.store_prompts(["a \U0001f534 “circle”\n"])
    tiny_pipeline.save_pretrained(tmp_path / "model")
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "model", torch.float32)
    for prompt, embeds in tiny_pipeline.prompt_embeds.items():
        assert torch.equal(loaded.prompt_embeds[prompt], embeds)


def test_model_is_loaded_in_bf16_where_the_processor_computes_in_it(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_pipeline.save_pretrained(tmp_path / "model")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"amx_bf16": True})
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "model")
    assert loaded.denoiser.dtype == torch.bfloat16
    assert draw(loaded).uint8_frames.shape == (1, 6, 32, 32, 3)


def test_loading_prints_nothing(
    tmp_path: Path,
    tiny_pipeline: OLVDMPipeline,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("olvdm.pipeline.SHARD_SIZE", "8KB")  # several shards bring a progress bar
    tiny_pipeline.save_pretrained(tmp_path / "model")
    assert len(list((tmp_path / "model" / "denoiser").glob("*.safetensors"))) > 1
    capfd.readouterr()
    OLVDMPipeline.from_pretrained(tmp_path / "model", torch.bfloat16)
    assert capfd.readouterr() == ("", "")


def test_loading_leaves_the_random_state_alone(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline
) -> None:
    tiny_pipeline.save_pretrained(tmp_path / "model")
    before = torch.get_rng_state()
    OLVDMPipeline.from_pretrained(tmp_path / "model")
    assert torch.equal(torch.get_rng_state(), before)


def test_text_encoder_is_loaded_when_it_is_needed_and_checked_then(
    tmp_path: Path, tiny_pipeline: OLVDMPipeline
) -> None:
    tiny_pipeline.store_prompts(PROMPTS)
    tiny_pipeline.save_pretrained(tmp_path / "model")
    loaded = OLVDMPipeline.from_pretrained(tmp_path / "model", torch.float32)
    for path in (tmp_path / "model" / "text_encoder").glob("*.safetensors"):
        path.unlink()
    draw(loaded)
    with pytest.raises(CheckpointError, match="text_encoder has no weights"):
        draw(loaded, "a prompt that is not stored")


FRESH = """
import sys
import torch
from olvdm.pipeline import OLVDMPipeline
pipeline = OLVDMPipeline.from_pretrained(sys.argv[1], torch.float32)
pipeline(sys.argv[2], num_frames=4, num_inference_steps=1, generator=torch.Generator())
print(*sorted(sys.modules))
"""


@pytest.fixture(scope="module")
def modules_of_one_clip(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Make a clip of a stored prompt in a fresh interpreter; return what was imported."""
    pipeline, folder = make_pipeline(), tmp_path_factory.mktemp("saved") / "model"
    pipeline.store_prompts(PROMPTS)
    pipeline.save_pretrained(folder)
    run = subprocess.run(
        [sys.executable, "-c", FRESH, str(folder), PROMPTS[0]],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return set(run.stdout.split())


@pytest.mark.parametrize("name", ["open_clip", "sklearn", "matplotlib", "gradio", "timm"])
def test_clip_of_a_stored_prompt_imports_nothing_heavy(
    modules_of_one_clip: set[str], name: str
) -> None:
    assert name not in modules_of_one_clip


@pytest.mark.parametrize("name", ["olvdm.losses", "olvdm.slot_adaptation", "olvdm.training"])
def test_making_a_clip_imports_no_objective(modules_of_one_clip: set[str], name: str) -> None:
    assert name not in modules_of_one_clip


def test_uint8_frames_survive_the_door(tiny_pipeline: OLVDMPipeline) -> None:
    frames = draw(tiny_pipeline).uint8_frames
    np.testing.assert_array_equal(clip_to_frames(frames_to_clip(frames)), frames)


def test_number_of_candidates_that_was_set_later_is_saved(
    tiny_pipeline: OLVDMPipeline, tmp_path: Path
) -> None:
    for number in (4, 1):
        tiny_pipeline.num_candidates = number
        tiny_pipeline.save_pretrained(tmp_path / "model")
        assert OLVDMPipeline.from_pretrained(tmp_path / "model").num_candidates == number


def test_scheduler_that_could_not_be_loaded_again_is_not_saved(
    tiny_pipeline: OLVDMPipeline, tmp_path: Path
) -> None:
    settings: Any = tiny_pipeline.scheduler.config
    tiny_pipeline.scheduler = FlowMatchEulerDiscreteScheduler.from_config(settings)
    with pytest.raises(InputError, match=r"cannot hold this scheduler .*flow_shift"):
        tiny_pipeline.save_pretrained(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    tiny_pipeline.scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    tiny_pipeline.save_pretrained(tmp_path / "model")
    assert OLVDMPipeline.from_pretrained(tmp_path / "model").scheduler.config["shift"] == 3.0


def test_manifest_that_is_to_say_nothing_says_nothing(
    tiny_pipeline: OLVDMPipeline, tmp_path: Path
) -> None:
    tiny_pipeline.about = {"steps": 3}
    tiny_pipeline.save_pretrained(tmp_path / "model", about={})
    assert OLVDMPipeline.from_pretrained(tmp_path / "model").about == {}
