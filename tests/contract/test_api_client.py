"""What programs get: every endpoint through Gradio's own client, and through an MCP client."""

import asyncio
import base64
import hashlib
import importlib.util
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from tests.app_server import AppServer, make_checkpoints, running_app
from tests.clip_files import make_video, moving_frames
from visualize.screen import texts

if TYPE_CHECKING:
    from gradio_client import Client
    from mcp import ClientSession

PROMPT = "a red circle moves right"
SETTINGS = (2, 3.0)
NAMES = ("generate", "compare", "inspect", "metrics", "list_checkpoints")
ARRAYS = {"frames", "slots", "attention_masks", "alpha_masks", "correlation", "presence"}
HAS_MCP = importlib.util.find_spec("mcp") is not None
NO_MCP = "mcp is missing: pip install 'olvdm[mcp]'"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    folder = tmp_path_factory.mktemp("app")
    options = ("--mcp",) if HAS_MCP else ()
    with running_app(make_checkpoints(folder / "checkpoints"), folder, *options) as server:
        yield server


@pytest.fixture(scope="module")
def client(app: AppServer, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Client]":
    from gradio_client import Client

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        yield Client(
            app.url,
            analytics_enabled=False,
            verbose=False,
            download_files=str(tmp_path_factory.mktemp("downloads")),
        )


@pytest.fixture(scope="module")
def compared(client: "Client") -> list[tuple[dict[str, Any], list[str] | None]]:
    job = client.submit(PROMPT, 3, *SETTINGS, api_name="/compare")
    return list(job)


@pytest.fixture(scope="module")
def inspected(client: "Client", tmp_path_factory: pytest.TempPathFactory) -> Any:
    from gradio_client import handle_file

    file = tmp_path_factory.mktemp("sent") / "clip.mp4"
    file.write_bytes(make_video())
    return client.predict(handle_file(file), 4, 8, 0, api_name="/inspect")


def film(path: str) -> tuple[int, int, int]:
    """Return frames, height and width of a film."""
    with av.open(path) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return (len(frames), *frames[0].shape[:2])


def test_client_sees_five_endpoints(client) -> None:
    described = client.view_api(return_format="dict", print_info=False)
    assert set(described["named_endpoints"]) == {f"/{name}" for name in NAMES}
    assert described["unnamed_endpoints"] == {}


def test_comparison_reports_its_steps_and_last_its_result(compared) -> None:
    *steps, (report, _) = compared
    assert any("Step 1 of 2" in step["status"] for step, _ in steps)
    assert list(report["clips"]) == ["lvdm", "olvdm"]


def test_film_of_a_comparison_plays(compared) -> None:
    report, files = compared[-1]
    frames, _, width = film(files[0])
    assert frames == report["clips"]["olvdm"]["shape"][0]
    assert width >= 2 * report["clips"]["olvdm"]["shape"][2]


def test_arrays_of_a_comparison_are_those_of_both_models(compared) -> None:
    report, files = compared[-1]
    with np.load(files[1], allow_pickle=False) as arrays:
        for name in ("lvdm", "olvdm"):
            assert {f"{name}_{field}" for field in ARRAYS} <= set(arrays.files)
            checksum = hashlib.sha256(arrays[f"{name}_frames"].tobytes()).hexdigest()
            assert checksum == report["clips"][name]["frames_sha256"]


def test_one_model_draws_the_clip_of_the_comparison(client, compared) -> None:
    settings = {"num_inference_steps": SETTINGS[0], "guidance_scale": SETTINGS[1]}
    asked = {"prompt": PROMPT, "seed": 3, "checkpoint": "olvdm"} | settings
    report, files = client.predict(**asked, api_name="/generate")
    assert report["clips"]["olvdm"] == compared[-1][0]["clips"]["olvdm"]
    assert film(files[0])[0] == report["clips"]["olvdm"]["shape"][0]


def test_measures_of_a_run_are_found_by_its_name(client, compared) -> None:
    report, _ = compared[-1]
    found = client.predict(report["run_id"], api_name="/metrics")
    assert found["metrics"] == report["metrics"]


def test_stored_comparison_has_measures_too(client) -> None:
    assert client.predict("1-behind", api_name="/metrics")["clips"]["olvdm"]["switches"] == 0


def test_file_of_a_program_is_inspected(inspected) -> None:
    report, files = inspected
    (clip,) = report["clips"].values()
    assert clip["shape"] == [8, 64, 96, 3]
    with np.load(files[0], allow_pickle=False) as arrays:
        assert arrays["clip-a_frames"].shape == (8, 64, 96, 3)


def test_models_are_listed(client) -> None:
    listed = client.predict(api_name="/list_checkpoints")
    assert [each["name"] for each in listed] == ["lvdm", "olvdm"]


def test_refusal_reaches_the_program_in_words(client) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match="num_inference_steps must be a whole number from 1 to 100"):
        client.predict(PROMPT, 3, 0, 3.0, api_name="/compare")


@pytest.mark.skipif(not HAS_MCP, reason=NO_MCP)
class TestMcp:
    def ask(self, app: AppServer, name: str, **arguments: object) -> tuple[bool, list[Any]]:
        """Call a tool; return whether it failed, and what JSON it answered."""

        async def called(session: "ClientSession") -> tuple[bool, list[Any]]:
            answer = await session.call_tool(name, arguments)
            texts_of = [getattr(part, "text", "") for part in answer.content]
            return bool(answer.isError), [_read(text) for text in texts_of]

        return asyncio.run(_in_session(app, called))

    def test_tools_are_the_endpoints_and_say_what_they_do(self, app) -> None:
        async def listed(session: "ClientSession") -> dict[str, str]:
            tools = (await session.list_tools()).tools
            return {each.name: each.description or "" for each in tools}

        tools = asyncio.run(_in_session(app, listed))
        assert set(tools) == set(NAMES)
        for name, words in tools.items():
            assert texts.ENDPOINTS[name].split("\n")[0] in words

    def test_arguments_have_names_and_kinds(self, app) -> None:
        async def schema(session: "ClientSession") -> Any:
            return {each.name: each.inputSchema for each in (await session.list_tools()).tools}

        properties = asyncio.run(_in_session(app, schema))["compare"]["properties"]
        assert list(properties) == ["prompt", "seed", "num_inference_steps", "guidance_scale"]
        assert properties["seed"]["type"] == "integer"

    def test_models_are_listed(self, app) -> None:
        has_failed, answers = self.ask(app, "list_checkpoints")
        assert not has_failed
        assert "olvdm" in json.dumps(answers)

    def test_comparison_is_drawn(self, app) -> None:
        has_failed, answers = self.ask(
            app, "compare", prompt=PROMPT, seed=3, num_inference_steps=2, guidance_scale=3.0
        )
        assert not has_failed
        assert "frames_sha256" in json.dumps(answers)

    def test_small_clip_travels_within_the_call(self, app) -> None:
        video = make_video(frames=moving_frames(8, 32, 32))
        data = "data:video/mp4;base64," + base64.b64encode(video).decode()
        has_failed, answers = self.ask(
            app, "inspect", clip=data, num_slots=4, max_frames=8, adapt_steps=0
        )
        assert not has_failed
        assert "assignment" in json.dumps(answers)

    @pytest.mark.parametrize("clip", ["/etc/passwd", "http://127.0.0.1:1/clip.mp4", "clip"])
    def test_clip_from_elsewhere_is_refused(self, app, clip) -> None:
        has_failed, answers = self.ask(
            app, "inspect", clip=clip, num_slots=4, max_frames=8, adapt_steps=0
        )
        assert has_failed
        assert "root:" not in json.dumps(answers)


async def _in_session(app: AppServer, work: Any) -> Any:
    """Open a session with the app, work in it, and close it."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    address = f"{app.url}/gradio_api/mcp/"
    async with (
        streamable_http_client(address) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        return await work(session)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
