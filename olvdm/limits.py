"""One table of every limit that a person can meet: UI, API, docs and tests read it here."""

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar, Final


@dataclass(frozen=True)
class Range:
    """A closed range of numbers; ``5 in Range(1, 9)`` holds.

    Attributes:
        low: Smallest legal number.
        high: Largest legal number.
    """

    low: float
    high: float

    def __contains__(self, value: float | int) -> bool:
        """Say whether a number is legal; NaN never is."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        """Return the words of a message: ``1 to 100``."""
        return f"{self.low:,} to {self.high:,}"


@dataclass(frozen=True)
class WholeRange(Range):
    """A closed range of whole numbers.

    Attributes:
        kind: What a number of it is called.
        low: Smallest legal number.
        high: Largest legal number.
    """

    kind: ClassVar[str] = "a whole number"
    low: int
    high: int


@dataclass(frozen=True)
class EvenRange(WholeRange):
    """A closed range of even numbers.

    Attributes:
        kind: What a number of it is called.
    """

    kind: ClassVar[str] = "an even number"

    def __contains__(self, value: float | int) -> bool:
        """Say whether a number is legal."""
        return super().__contains__(value) and value % 2 == 0


def is_whole_number(value: object) -> bool:
    """Say whether a value is a whole number, of Python or of numpy; a boolean is none."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def real_number(value: object) -> float | None:
    """Return a number of Python or of numpy as a float, None for whatever is no finite number."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except (OverflowError, ValueError):  # a whole number of a thousand digits
        return None
    return number if math.isfinite(number) else None


# What a person writes.
PROMPT_RAW_MAX: Final = 1_200  # code points, checked before any normalising
PROMPT_CHARS: Final = WholeRange(1, 300)  # after cleaning; more is refused, never cut silently
NEGATIVE_PROMPT_CHARS: Final = WholeRange(0, 300)
PROMPT_TOKENS: Final = 77  # with start and end; the tokenizer cuts the rest, and the result says so

# What a person sets for a generation.
NUM_FRAMES: Final = EvenRange(8, 64)  # of a clip that a server draws, for it has other visitors
LONG_FRAMES: Final = EvenRange(8, 256)  # of a clip that the command line draws
PIPELINE_FRAMES: Final = WholeRange(1, LONG_FRAMES.high)  # of a clip that the pipeline draws
SIDES: Final = tuple(range(32, 129, 16))  # height and width of a generated clip, pixels
STEPS: Final = WholeRange(1, 100)
SAMPLES: Final = WholeRange(1, 4)
GUIDANCE: Final = Range(0.0, 20.0)
SLOT_GUIDANCE: Final = Range(0.0, 20.0)
CANDIDATES: Final = WholeRange(1, 16)  # noises that a clip may begin from
SLOT_FLOOR: Final = Range(-1.0, 1.0)  # a cosine
DEFAULT_STEPS: Final = 10
DEFAULT_GUIDANCE: Final = 3.0
SEED: Final = WholeRange(0, 2_147_483_647)
FILE_FPS: Final = Range(0.01, 1_000.0)  # frames a second of a file that is written
CHECKPOINTS: Final = ("olvdm", "lvdm")

# What a person sets for an inspection.
NUM_SLOTS: Final = WholeRange(2, 11)
INSPECT_FRAMES: Final = WholeRange(8, 32)
ADAPT_STEPS: Final = WholeRange(0, 200)

# What an uploaded video or picture may be.
UPLOAD_BYTES: Final = 52_428_800
CLIP_FRAMES: Final = WholeRange(8, 256)  # decoded frames count, not the declared duration
FRAME_SIDE: Final = WholeRange(16, 2_048)  # pixels
FRAME_PIXELS: Final = 4_194_304
DECODED_SIDE: Final = 256  # longer side of a decoded frame, pixels
MAX_STREAMS: Final = 16
VIDEO_FORMATS: Final = "MP4, WebM, MKV, AVI, GIF or APNG"
STILL_FORMATS: Final = "PNG, WebP or JPEG"

# What the decoder's child process may use.
DECODE_CPU: Final = 20  # seconds
DECODE_WALL: Final = 30  # seconds
DECODE_MEMORY: Final = 2 * 1024**3  # bytes of address space
DECODE_PAYLOAD: Final = 48 * 1024**2  # bytes: 256 frames of 256x256 RGB

# What a person may call an output; a disk takes 255, and files beside it have longer names.
OUTPUT_NAME: Final = 200  # bytes

# What a folder of training videos may hold; its files are the user's own, and larger than uploads.
TRAINING_VIDEO_BYTES: Final = 4 * 1024**3

# What one job and the whole server may use.
JOB_SECONDS: Final = 120  # wall time of all samples together
MEMORY_SHARE: Final = 0.7  # of min(free cgroup memory, MemAvailable)
QUEUE_SIZE: Final = 16
CONCURRENCY: Final = 1
SESSION_CAPACITY: Final = 100
PINNED_RUNS: Final = 3  # of one visit
JSON_BODY: Final = 65_536  # bytes of a request that uploads nothing
UPLOAD_BODY: Final = 53_477_376  # bytes of an upload with its multipart overhead
CACHE_SWEEP: Final = (600, 3_600)  # seconds: how often Gradio looks, how old a file may be
TEMP_AGE: Final = 3_600  # seconds
RUN_STORE_BYTES: Final = 512 * 1024**2

# What a checkpoint may claim, and how training keeps its own.
CONFIG_BYTES: Final = 65_536  # checked before parsing
MODEL_PARAMETERS: Final = 200_000_000  # counted from the config before any allocation
KEEP_CHECKPOINTS: Final = 2
SAVE_FREE_FACTOR: Final = 2  # free space wanted before a save, in sizes of the last one
BAD_STEPS: Final = 5  # non-finite steps in a row that stop a training
SAVE_FAILURES: Final = 3  # failed saves in a row that stop a training
