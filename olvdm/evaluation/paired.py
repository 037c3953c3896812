"""Several models draw the same prompt from the same noise, step by step together."""

from collections.abc import Generator, Mapping

import torch

from olvdm.generation import Generation, OLVDMPipelineOutput
from olvdm.pipeline import OLVDMPipeline
from olvdm.request import Request
from olvdm.sampling import DenoisingStep


def draw_together(
    pipelines: Mapping[str, OLVDMPipeline], request: Request
) -> Generator[dict[str, DenoisingStep] | dict[str, OLVDMPipelineOutput]]:
    """Draw one clip a model and hand over every step on the way; close the iterator to stop.

    Args:
        pipelines: Models by name.
        request: What to draw.

    Yields:
        The step that each model has reached, all of them the same; last, their outputs.

    Ours: the noise comes from the seed alone, so a difference between the clips is one between the
    models.
    """
    streams = {name: pipeline.stream(_generation(request)) for name, pipeline in pipelines.items()}
    try:
        for reached in zip(*streams.values(), strict=True):
            yield dict(zip(streams, reached, strict=True))
    finally:
        for stream in streams.values():
            stream.close()  # pyright: ignore[reportAttributeAccessIssue]


def _generation(request: Request) -> Generation:
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
