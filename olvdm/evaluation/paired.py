"""Several models draw the same prompt from the same noise, step by step together."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import torch

from olvdm.generation import Generation, OLVDMPipelineOutput
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import Request
from olvdm.sampling import DenoisingStep


@dataclass(frozen=True, eq=False)
class Together:
    """Where all models are.

    Attributes:
        steps: The step that each model has reached, all of them the same; empty at the end.
        outputs: The output of each model; empty before the end.
    """

    steps: Mapping[str, DenoisingStep]
    outputs: Mapping[str, OLVDMPipelineOutput]


def draw_together(pipelines: Mapping[str, OLVDMPipeline], request: Request) -> Generator[Together]:
    """Draw one clip a model and hand over every step on the way; close the iterator to stop.

    Args:
        pipelines: Models by name.
        request: What to draw.

    Yields:
        Every step, and last the outputs.

    Ours: the noise comes from the seed alone, so a difference between the clips is one between the
    models.
    """
    streams = [pipeline.stream(generation_of(request)) for pipeline in pipelines.values()]
    try:
        for reached in zip(*streams, strict=True):
            named = dict(zip(pipelines, reached, strict=True))
            yield Together(
                steps={name: one for name, one in named.items() if isinstance(one, DenoisingStep)},
                outputs={
                    name: one for name, one in named.items() if isinstance(one, OLVDMPipelineOutput)
                },
            )
    finally:
        for stream in streams:
            stream.close()  # pyright: ignore[reportAttributeAccessIssue]


def candidates_of(outputs: Mapping[str, OLVDMPipelineOutput]) -> dict[str, int]:
    """Return which of its noises each model's clip comes from, 0 for the first."""
    return {name: int(output.candidates[0]) for name, output in outputs.items()}


def generation_of(request: Request) -> Generation:
    """Return what the pipeline draws for a checked request; the seed alone decides the noise."""
    return Generation(
        prompt=request.prompt,
        negative_prompt=request.negative_prompt,
        num_frames=request.num_frames,
        height=request.height,
        width=request.width,
        num_inference_steps=request.num_inference_steps,
        guidance_scale=request.guidance_scale,
        generator=torch.Generator().manual_seed(request.seed),
    )
