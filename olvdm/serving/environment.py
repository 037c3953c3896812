"""What Gradio and the Hub's client read from the environment, set before anybody imports them."""

import os

from olvdm.serving.temp_files import TempFiles

SWITCHES = ("SHARE", "MCP_SERVER", "ALLOWED_PATHS", "VIBE_MODE", "DEBUG", "RUN_HISTORY")
"""Of Gradio's variables, those that would change the app from outside."""

FIXED = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def prepare_environment() -> TempFiles:
    """Make this process quiet and private; call before importing Gradio.

    Returns:
        The private folder to which all temporary files now go.

    Ours: each variable answers to a measured call to another host, or a way to change the app.
    """
    temp = TempFiles()
    temp.use()
    for name in SWITCHES:
        os.environ.pop(f"GRADIO_{name}", None)
    os.environ.update(FIXED)
    return temp
