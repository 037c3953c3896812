"""The memory that a clip and large decodes take above the weights, each in its own process."""

import ctypes
import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from benchmarks.decode import clip_size, peer_decode
from benchmarks.inputs import latent_shape, load_pipeline
from benchmarks.rounds import dtype_name
from benchmarks.settings import Settings
from benchmarks.tables import Table
from olvdm.generation import Generation, OLVDMPipelineOutput
from olvdm.pipeline import OLVDMPipeline
from olvdm.sampling import DenoisingStep

LARGE_SIDE = 256  # pixels
LONG = 4  # times as many frames as the training
NUM_STEPS = 2
CHILD_SECONDS = 600


@dataclass(frozen=True)
class Work:
    """Something whose memory is wanted.

    Attributes:
        name: What it is.
        warm: The same at a small size: it brings the program's own code into memory.
        call: The thing.
        goal: In MiB, or none.
    """

    name: str
    warm: Callable[[], object]
    call: Callable[[], object]
    goal: float | None = None


def run(settings: Settings, large_side: int = LARGE_SIDE) -> list[Table]:
    """Return the peaks.

    Args:
        settings: Where the model lies.
        large_side: Rows and columns of the large clip, in pixels.

    Returns:
        One table.
    """
    torch.set_num_threads(1)  # a pool of threads would not survive the fork
    pipeline = load_pipeline(settings)
    works = [*_clip_works(pipeline), *_decode_works(pipeline, large_side)]
    peaks = [peak_mib(work) for work in works]
    kind = dtype_name(next(pipeline.denoiser.parameters()).dtype)
    rows: list[dict[str, object]] = [
        {
            "work": work.name,
            "peak above weights, MiB": peak,
            "goal G5, MiB": work.goal or "none",
        }
        for work, peak in zip(works, peaks, strict=True)
    ]
    how = (
        f"{kind}, one thread, one run each. The peak of a forked child less what it held after a "
        "small warm-up, with large blocks returned to the system at once."
    )
    growth = (
        f"Decoding {LONG} times the frames takes {peaks[3] / peaks[2]:.2f} times the memory; G5 "
        "wants at most 1.1, by chunks."
    )
    return [Table("Peak memory", rows, [how, growth])]


def peak_mib(work: Work) -> float:
    """Return the most memory that some work holds at once, in a forked child.

    Args:
        work: What to do.

    Returns:
        MiB above what the child holds before.

    Raises:
        RuntimeError: If the child ends without an answer.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_measure, args=(work, sender))
    child.start()
    sender.close()
    try:
        if not receiver.poll(CHILD_SECONDS):
            raise RuntimeError(f"{work.name} took more than {CHILD_SECONDS} seconds")
        return receiver.recv()
    except EOFError:
        raise RuntimeError(f"{work.name} ended without an answer") from None
    finally:
        child.kill()
        child.join()


def _measure(work: Work, sender: Connection) -> None:
    work.warm()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status_mib("VmRSS")
    work.call()
    sender.send(_status_mib("VmHWM") - before)


def _status_mib(name: str) -> float:
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"the system does not tell {name}")


def _clip_works(pipeline: OLVDMPipeline) -> list[Work]:
    """Return a clip of the size of the training, without and with its slots."""
    num_frames, height, width = clip_size(pipeline)
    size, few = f"{num_frames}x{height}x{width}", 2 * pipeline.autoencoder.temporal_factor

    def decode(count: int) -> object:
        *_, last = islice(_reached(pipeline, count), NUM_STEPS)
        assert isinstance(last, DenoisingStep)
        return pipeline.decode_latents(last.latents)

    def whole(count: int) -> object:
        *_, output = _reached(pipeline, count)
        return output

    return [
        Work(f"clip {size}", partial(decode, few), partial(decode, num_frames), 60),
        Work(f"clip {size} and its slots", partial(whole, few), partial(whole, num_frames)),
    ]


def _reached(
    pipeline: OLVDMPipeline, num_frames: int
) -> Iterator[DenoisingStep | OLVDMPipelineOutput]:
    """Draw a clip of a stored prompt in few steps: more of them take no more memory."""
    prompt = next((prompt for prompt in pipeline.prompt_embeds if prompt), "")
    generation = Generation(prompt=prompt, num_frames=num_frames, num_inference_steps=NUM_STEPS)
    return pipeline.stream(generation)


def _decode_works(pipeline: OLVDMPipeline, large_side: int) -> list[Work]:
    """Return decodes of large clips, the last one by the peer."""
    num_latent_frames = latent_shape(pipeline.denoiser)[1]
    num_frames, dtype = clip_size(pipeline)[0], next(pipeline.autoencoder.parameters()).dtype
    side = large_side // pipeline.autoencoder.spatial_factor
    size = f"{large_side}x{large_side}"
    works = [
        Work(
            f"decode {count * num_frames}x{size}",
            _decode(pipeline, 2, 8),
            _decode(pipeline, count * num_latent_frames, side),
            goal,
        )
        for count, goal in ((1, 300.0), (LONG, None))
    ]
    peer = peer_decode((num_frames, large_side, large_side), dtype)
    name = f"AutoencoderTiny (random weights), decode {num_frames}x{size}"
    return [*works, Work(name, peer_decode((2, 32, 32), dtype), peer)]


def _decode(pipeline: OLVDMPipeline, num_latent_frames: int, side: int) -> Callable[[], object]:
    """Return a function that makes frames to show of random latents."""
    autoencoder = pipeline.autoencoder
    latents = torch.randn(1, autoencoder.latent_channels, num_latent_frames, side, side)
    return partial(pipeline.decode_latents, latents.to(next(autoencoder.parameters())))
