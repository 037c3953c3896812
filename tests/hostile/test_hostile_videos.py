"""Groups U1 to U5 of files that nobody should upload, against the decoder itself."""

import http.server
import inspect
import json
import random
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import av
import numpy as np
import pytest
from av.error import FFmpegError

from olvdm import decoding, decoding_child, limits
from olvdm.decoding import decode_still, decode_video
from olvdm.errors import VideoError
from tests.clip_files import audio_file, make_video, moving_frames, repeated_video

CLIP = make_video()
GIF = make_video("gif", "gif", "rgb8")
SEEDS = {
    "mp4": CLIP,
    "fast-start mp4": make_video(tail_index=False),
    "mov": make_video("mov", "mpeg4"),
    "webm": make_video("webm", "libvpx-vp9"),
    "mkv": make_video("matroska", "ffv1", "bgr0"),
    "avi": make_video("avi", "mjpeg", "yuvj420p"),
    "mpeg4 avi": make_video("avi", "mpeg4"),
    "gif": GIF,
    "apng": make_video("apng", "apng", "rgb24"),
}


@pytest.fixture
def refusal(tmp_path):
    """Upload bytes that must be refused; return the sentence."""

    def refuse(data: bytes, name: str = "clip.mp4", decode=decode_video) -> str:
        path = tmp_path / name
        path.write_bytes(data)
        with pytest.raises(VideoError) as caught:
            decode(path)
        assert str(tmp_path) not in caught.value.user_message
        assert name not in caught.value.user_message
        return caught.value.user_message

    return refuse


class Listener(http.server.BaseHTTPRequestHandler):
    hits: list[str]

    def do_GET(self) -> None:
        self.hits.append(self.path)
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in http
        pass


@pytest.fixture
def listener() -> Iterator[tuple[int, list[str]]]:
    """A server on the loopback that counts who calls."""
    hits: list[str] = []
    handler = type("Counting", (Listener,), {"hits": hits})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, hits
        server.shutdown()


def job(path: Path) -> decoding_child.Job:
    """What the child is told, for a call in this process."""
    return {
        "kind": "video",
        "name": str(path),
        "max_frames": 256,
        "min_frames": 8,
        "side": 256,
        "min_source_side": 16,
        "max_source_side": 2_048,
        "max_pixels": 4_194_304,
        "max_streams": 16,
        "cpu_seconds": 120,
        "memory_bytes": limits.DECODE_MEMORY,
        "reply_bytes": limits.DECODE_PAYLOAD,
    }


def jpeg(width: int, height: int) -> bytes:
    """A JPEG that has nothing but its signature and a frame header, and no scan."""
    sizes = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xc0\0\x0b\x08" + sizes + b"\x01\x01\x11\0"


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


# U1: unreadable.


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"just some text\n" * 50, id="text"),
        pytest.param(random.Random(1).randbytes(100_000), id="noise"),  # noqa: S311
        pytest.param(b"\x1b[31mred\x1b]0;title\x07" * 99, id="terminal-codes"),
        pytest.param(png(64, 64), id="renamed-png"),
        pytest.param(CLIP[:32] + random.Random(2).randbytes(9_000), id="garbage-after-ftyp"),  # noqa: S311
        pytest.param(CLIP[: CLIP.index(b"moov") - 4], id="cut-before-its-index"),
        pytest.param(CLIP[: CLIP.index(b"stsz")], id="cut-inside-its-index"),
        pytest.param(SEEDS["fast-start mp4"][: len(CLIP) * 2 // 3], id="cut-fast-start"),
        pytest.param(b"\0", id="one-byte"),
    ],
)
def test_unreadable_file_is_called_so(refusal, data):
    assert refusal(data) == decoding.UNREADABLE


def test_fast_start_file_is_good_before_it_is_cut(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(SEEDS["fast-start mp4"])
    assert len(decode_video(tmp_path / "clip.mp4").frames) == 12


def test_audio_alone_is_named(refusal):
    assert refusal(audio_file()).startswith("The file has no video track;")


# U2: too little.


@pytest.mark.parametrize("size", [(1, 1), (15, 64), (64, 15)])
def test_tiny_picture_names_the_smallest_side(refusal, size):
    height, width = size
    data = make_video("matroska", "ffv1", "bgr0", frames=moving_frames(8, height, width))
    assert f"{width}x{height} pixels; each side must be 16 to 2,048" in refusal(data)


# U3: too much.


def test_file_over_the_upload_limit_is_refused(refusal):
    assert "has 51.0 MiB; at most 50 MiB" in refusal(CLIP + bytes(51 * 2**20 - len(CLIP)))


def test_huge_picture_is_refused_from_its_header(refusal):
    frames = np.zeros((8, 2304, 4096, 3), np.uint8)
    data = make_video("avi", "mjpeg", "yuvj420p", frames=frames)
    assert len(data) < limits.UPLOAD_BYTES
    assert "4096x2304 pixels" in refusal(data)


def test_long_thin_picture_may_not_be_wider_than_the_limit(refusal):
    data = make_video("matroska", "ffv1", "bgr0", frames=moving_frames(8, 16, 2050))
    assert "2050x16 pixels" in refusal(data)


def test_gif_of_35_bytes_claiming_65535_a_side_is_refused(refusal):
    claim = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x02\x02\x4c\x01\x00;"
    assert "far larger than 4,194,304 pixels" in refusal(claim + frame)


def test_frames_larger_than_the_header_says_are_refused(refusal):
    data = make_video("avi", "mjpeg", "yuvj420p", frames=np.zeros((8, 2304, 2304, 3), np.uint8))
    lie = data.replace(struct.pack("<II", 2304, 2304), struct.pack("<II", 64, 64))
    assert lie != data
    assert refusal(lie)


def test_endless_clip_stops_at_the_limit(tmp_path):
    (tmp_path / "clip.mkv").write_bytes(repeated_video(100_000))
    video = decode_video(tmp_path / "clip.mkv")
    assert len(video.frames) == 256
    assert "the first 256 are read" in video.notes[0]


def test_declared_hours_do_not_count(refusal):
    hour = 3_600 * 8
    data = make_video("matroska", frames=moving_frames(4), times=[0, hour, 2 * hour, 10 * hour])
    assert "has 4 frames" in refusal(data)


# U4: odd names are only names.


@pytest.mark.parametrize(
    "name",
    [
        "\u7ea2\u5706.mp4",
        "\U0001f600.mp4",
        "a" * 251 + ".mp4",
        "x\ny.mp4",
        "${alert(1)}<img src=x>.mp4",
        "..\\..\\a.mp4",
        "-i.mp4",
        "a.m3u8",
    ],
)
def test_odd_name_changes_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(CLIP)
    assert len(decode_video(tmp_path / name).frames) == 12


# U5: hostile.


def hostile_texts(local: Path, port: int) -> dict[str, bytes]:
    """Files that make a careless reader open another file or call a server."""
    remote = f"http://127.0.0.1:{port}/leak"
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\n"
    dash = (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT9S">'
        f'<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="9">'
        f"<BaseURL>{remote}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    )
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="64" height="64"><image width="64" height="64" xlink:href="{remote}"/></svg>'
    )
    texts = {
        "hls-local": f"{head}{local}\n#EXT-X-ENDLIST\n",
        "hls-file-url": f"{head}file://{local}\n#EXT-X-ENDLIST\n",
        "hls-remote": f"{head}{remote}.ts\n#EXT-X-ENDLIST\n",
        "hls-key": f'{head}#EXT-X-KEY:METHOD=AES-128,URI="{remote}"\n{local}\n',
        "concat-absolute": f"ffconcat version 1.0\nfile '{local}'\n",
        "concat-relative": f"ffconcat version 1.0\nfile {local.name}\n",
        "concat-remote": f"ffconcat version 1.0\nfile '{remote}'\n",
        "dash": dash,
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
        f"m=video {port} RTP/AVP 96\n",
        "svg": svg,
        "svg-bomb": svg.replace('"64"', '"30000"'),
        "html": f"<!doctype html><video src='{remote}'></video>",
        "eps": f"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n({local}) (r) file\n",
    }
    return {name: text.encode() for name, text in texts.items()}


@pytest.mark.parametrize("kind", sorted(hostile_texts(Path("/x"), 1)))
@pytest.mark.parametrize("name", ["upload.mp4", "upload.m3u8"])
def test_no_video_makes_us_open_another_file(refusal, tmp_path, listener, kind, name):
    port, hits = listener
    sentinel = tmp_path / "sentinel.mp4"
    sentinel.write_bytes(CLIP)
    assert refusal(hostile_texts(sentinel, port)[kind], name) == decoding.UNREADABLE
    assert hits == []


@pytest.mark.parametrize("kind", ["eps", "svg", "svg-bomb", "html", "hls-local"])
def test_no_still_makes_us_open_another_file(refusal, tmp_path, listener, kind):
    port, hits = listener
    data = hostile_texts(tmp_path, port)[kind]
    assert refusal(data, "first.png", decode_still) == decoding.UNREADABLE_STILL
    assert hits == []


def test_the_probe_is_sharp_a_plain_reader_follows_it(tmp_path, listener):
    port, hits = listener
    playlist = tmp_path / "a.m3u8"
    playlist.write_bytes(hostile_texts(tmp_path, port)["hls-remote"])
    with playlist.open("rb") as file, pytest.raises(FFmpegError):
        av.open(file)
    assert hits == ["/leak.ts"]


@pytest.mark.parametrize("kind", ["hls-local", "hls-remote", "hls-key", "concat-relative", "sdp"])
def test_the_options_alone_refuse_it_even_under_its_own_name(tmp_path, listener, kind):
    port, hits = listener
    sentinel = tmp_path / "sentinel.mp4"
    sentinel.write_bytes(CLIP)
    upload = tmp_path / "upload.m3u8"
    upload.write_bytes(hostile_texts(sentinel, port)[kind])
    with pytest.raises(FFmpegError):
        decoding_child.decode_video(job(upload))
    assert hits == []


def test_external_track_of_a_mov_is_not_followed(refusal, tmp_path):
    sentinel = tmp_path / "sentinel.mp4"
    sentinel.write_bytes(CLIP)
    at = CLIP.index(b"url ") - 4
    (size,) = struct.unpack(">I", CLIP[at : at + 4])
    reference = str(sentinel).encode().ljust(64, b"\0")
    box = struct.pack(">I", 12 + len(reference)) + b"url " + bytes(4) + reference
    changed = bytearray(CLIP[:at] + box + CLIP[at + size :])
    for parent in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = changed.index(parent) - 4
        (old,) = struct.unpack(">I", changed[place : place + 4])
        changed[place : place + 4] = struct.pack(">I", old + len(box) - size)
    mdat = changed.index(b"mdat") + 4
    changed[mdat : changed.index(b"moov") - 4] = bytes(changed.index(b"moov") - 4 - mdat)
    assert refusal(bytes(changed)) == decoding.UNREADABLE


@pytest.mark.parametrize("tail", [b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(99)])
def test_polyglot_is_read_as_the_video_that_it_starts_as(tmp_path, tail):
    (tmp_path / "a.gif").write_bytes(GIF + tail)
    assert len(decode_video(tmp_path / "a.gif").frames) == 12


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(png(30_000, 30_000), "30000x30000 pixels", id="png-bomb"),
        pytest.param(
            b"RIFF\xff\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xfe\x3f\0\xfe\x3f\0" + bytes(99),
            "16383x16383 pixels",
            id="webp-bomb",
        ),
        pytest.param(png(64, 64), decoding.UNREADABLE_STILL, id="too-few-pixels"),
        pytest.param(png(64, 64)[:20], decoding.UNREADABLE_STILL, id="cut"),
        pytest.param(b"\xff\xd8\xff\xe0" + bytes(99), decoding.UNREADABLE_STILL, id="jpeg"),
        pytest.param(jpeg(64, 64), decoding.UNREADABLE_STILL, id="jpeg-without-pixels"),
        pytest.param(jpeg(65_000, 65_000), "65000x65000 pixels", id="large-jpeg"),
        pytest.param(
            jpeg(64, 64) + jpeg(9_000, 9_000)[2:] + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0",
            "9000x9000 pixels",
            id="jpeg-that-lies",
        ),
        pytest.param(
            b"\xff\xd8" + b"\xff\xe0\0\x07abcde" * 2_000 + jpeg(64, 64)[2:],
            decoding.UNREADABLE_STILL,
            id="jpeg-of-endless-segments",
        ),
        pytest.param(b"", "empty", id="empty"),
    ],
)
def test_hostile_still_is_refused(refusal, data, words):
    assert words in refusal(data, "first.png", decode_still)


# Mutations of good files.


def mutated(seed: int, data: bytes) -> bytes:
    """Flip, cut, repeat or drop some bytes."""
    chance = random.Random(seed)  # noqa: S311
    bytes_ = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        at = chance.randrange(min(len(bytes_), chance.choice([64, 2_048, len(bytes_)])))
        kind = chance.randrange(4)
        if kind == 0:
            bytes_[at] = chance.randrange(256)
        elif kind == 1:
            bytes_[at : at + 4] = chance.choice([b"\xff" * 4, bytes(4), b"\x7f" + b"\xff" * 3])
        elif kind == 2:
            bytes_[at:at] = bytes_[at : at + chance.randrange(64)]
        else:
            del bytes_[at : at + chance.randrange(1, 16)]
    return bytes(bytes_)


def outcome(path: Path) -> str:
    try:
        return str(decode_video(path).frames.shape)
    except VideoError as error:
        return error.user_message


def test_damaged_files_give_frames_or_a_sentence(tmp_path):
    paths: list[Path] = []
    for number, data in enumerate([data for data in SEEDS.values() for _ in range(3)]):
        paths.append(tmp_path / f"{number}.mp4")
        paths[-1].write_bytes(mutated(number, data))
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, paths))
    assert len(outcomes) == 27
    assert not [words for words in outcomes if words == decoding.TOO_SLOW]


FUZZ = """
import json, sys
sys.path[:0] = json.loads(sys.argv[1])
import random
import av, decoding_child
from pathlib import Path
job = json.loads(sys.argv[2])
decoding_child.limit_resources(job)
source = Path(sys.argv[3])
exec(Path(sys.argv[4]).read_text())  # `mutated`, from the test
for seed_file in sorted(source.iterdir()):
    for seed in range(100):
        Path(job["name"]).write_bytes(mutated(seed, seed_file.read_bytes()))
        try:
            for block in decoding_child.answer(job):
                pass
        except (av.FFmpegError, ArithmeticError, AttributeError, LookupError, MemoryError, OSError,
                TypeError, ValueError):
            pass
print("alive")
"""


def test_decoder_survives_900_mutations_in_one_process(tmp_path):
    source = tmp_path / "seeds"
    source.mkdir()
    for number, data in enumerate(SEEDS.values()):
        (source / f"{number}.bin").write_bytes(data)
    (tmp_path / "mutated.py").write_text(inspect.getsource(mutated))
    arguments = [
        json.dumps([str(Path(decoding_child.__file__).parent)]),
        json.dumps(job(tmp_path / "probe.bin")),
    ]
    arguments += [str(source), str(tmp_path / "mutated.py")]
    done = subprocess.run(
        [sys.executable, "-I", "-c", FUZZ, *arguments],
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout == b"alive\n", done.stderr[-2000:].decode()
