"""Every word of the page, in one place, so that tests read what people read."""

from typing import Literal

TITLE = "OLVDM"
TITLE_LONG = "OLVDM: object-centric latent video diffusion"
LEAD = "One prompt, one noise, two models. Watch which one keeps its objects."

TAB_COMPARE = "Compare"
TAB_INSPECT = "Inspect a clip"
TAB_HOW = "How it works"
TAB_RUNS = "Runs and API"

# Compare
PROMPT = "Prompt"
PROMPT_HINT = "a red circle moves right and passes behind a green square"
EXAMPLES = "Prompts to try"
SEED = "Seed"
DICE = "Another seed"
STEPS = "Denoising steps"
STEPS_INFO = "More are slower, and beyond some ten hardly better."
GUIDANCE = "Guidance"
GUIDANCE_INFO = "How strongly to follow the prompt; 1 is as trained."
SETTINGS = "Steps and guidance"
GENERATE = "Generate both"
CANCEL = "Cancel"
STORED = "Stored: {title}"
STORED_DETAIL = "{prompt}, seed {seed}"
STORED_LABEL = "Stored comparisons"
WHAT = {
    "lvdm": "the same network, without slots",
    "olvdm": "trained and chosen so that slots stay themselves",
}
WHAT_CHOSEN = "{what}; here from noise {number}, since those of noise 1 did not"
BADGE_STORED = "stored"
BADGE_NEW = "drawn just now"

# Tour
TOUR = "Tour"
TOUR_STEPS = {
    "Same start, two clips": (
        "Both models begin with the same noise and read the same prompt. Where its slots are not"
        " steady half way, OLVDM goes on with another noise. Press Play, or Space on the clips, and"
        " watch where they part."
    ),
    "One slot alone": (
        "A slot is a vector that claims pixels. This is one of them alone: the pixels of one"
        " object, found without being told what an object is."
    ),
    "Who stays who": (
        "Every slot of every frame against every other one, sorted by slot. Orange blocks on the"
        " diagonal are objects that stay themselves."
    ),
    "One cell": (
        "A press on a cell holds it. Here are its two frames, both slots outlined, and a sentence"
        " that says what the number means."
    ),
    "When it flickers": (
        "Flicker of each slot over time; A is dashed, B solid. The line is the frame on the"
        " screen, where the two clips differ most."
    ),
    "What the figures say": (
        "One pair of clips is an observation. Only what many prompts say, beside each number, is"
        " called better or worse."
    ),
}
TOUR_WORDS = {
    "title": TOUR,
    "count": "Step {step} of {steps}",
    "back": "Back",
    "next": "Next",
    "last": "Done",
    "end": "End the tour",
    "later": (
        "The tour shows the figures of two clips. Wait until they are on the screen, and in a"
        " blind trial until you have chosen."
    ),
}

# Pinned runs
PINNED = "Pinned runs: {count} of {most}"
PINNED_HINT = "Press A or B to put a clip on that side."
PINNED_CLIP = "{clip} of pinned run {number} as {side}"
PINNED_ALREADY = "This run is pinned already."
PINS_FULL = "{most} runs are pinned, and there is room for no more; unpin one first."
UNPIN = "Unpin run {number}"

# Blind trials
OURS = "OLVDM"
BLIND = "Blind trial: hide the names"
BLIND_NAME = "Clip {letter}"
BLIND_QUESTION = "Which clip is steadier?"
ANSWERS: dict[Literal["a", "b", "neither"], str] = {
    "a": "A is steadier",
    "b": "B is steadier",
    "neither": "No difference",
}
REVEALED = {
    "a": "You chose clip A, which is {a}; clip B is {b}.",
    "b": "You chose clip B, which is {b}; clip A is {a}.",
    "neither": "You saw no difference; clip A is {a}, clip B is {b}.",
}
TALLY = "{times} of {count} times you chose {name}"
TALLY_EVEN = "{times} of {count} times you saw no difference"
PRACTICE = (
    "For practice: this pair does not count, since it was on the screen with its names, was stored"
    " for how it ends, or is of your own choice. Generate both clips of another seed for one that"
    " counts."
)
NOT_COUNTED = "This pair does not count."
NOTHING_TO_TAKE = (
    "There is nothing to take from here yet; of a blind pair only once you have chosen the steadier"
    " clip."
)
NOTHING_TO_JUDGE = "There is no blind pair on the screen; switch the blind trial on."

# Inspect
UPLOAD = "Video"
UPLOAD_HINT = (
    "{formats}, up to {megabytes} MB, {sides} pixels a side; the first {frames} frames are read."
)
TEST_CLIPS = "No video at hand? Take one of these"
SECOND_UPLOAD = "Second video"
TAKE = "Both clips of Compare"
CROP = "Square crop"
CROP_INFO = "Look at the middle square instead of the whole frame."
NUM_SLOTS = "Slots"
NUM_SLOTS_INFO = "One object each, one for the background, and a spare."
MAX_FRAMES = "Frames"
MAX_FRAMES_INFO = "From the start of the clip."
ADAPT_STEPS = "Adaptation steps"
ADAPT_STEPS_INFO = "Fit the slots to this clip before looking; 0 takes them as trained."
INSPECT = "Find the objects"
UPLOAD_GONE = "The upload is gone; choose the file again."
FIRST_A_CLIP = "Choose a video or a test clip first."
BADGE_UPLOAD = "your clip"
YOUR_CLIP = "Your clip"
BADGE_TEST = "test clip"
WHAT_INSPECTED = "{frames} frames of {width}x{height}"
UNFAMILIAR = (
    "This clip lies outside what the model knows: it was trained on simple moving shapes. Read the"
    " slots below as an experiment, and try some adaptation steps."
)
UNFAMILIAR_STILL = (
    "This clip lies outside what the model knows, also after the adaptation: it was trained on"
    " simple moving shapes. Read the slots below as an experiment."
)
NOTHING_FOUND = (
    "No slot but the background holds anything in {clips} for three frames in a row, so there is"
    " no object to measure: {remedy}."
)
THIS_CLIP = "this clip"
ADAPT_LESS = "try fewer adaptation steps, or more slots"
ADAPT_MORE = "try more slots, or some adaptation steps"
GAIN = "Adaptation: slots explain {after} of the pixels, {before} before."

# States
NOTHING_YET = "No comparison is stored here. Press Generate both."
NOTHING_TO_SHOW = "No comparison is stored here, and without the weights none can be drawn."
NO_CLIP_YET = "Choose a video or a test clip, then press Find the objects."
IDLE = ""
LOADING = "Loading the models; this happens once."
STARTING = "Starting."
STEP = "Step {step} of {num_steps}, {seconds:.1f} s"
LOOKING = "Finding the slots and measuring flicker."
FITTING = "Fitting the slots: step {step} of {num_steps}, loss {loss:.3f}"
DONE = "Done in {seconds:.1f} s."
READING = "Reading the clip."
CLIP_READ = "The clip is read. Press Find the objects."
SECOND_READ = "The second clip is read. Press Find the objects."
UNREADABLE = (
    "The request could not be read: an argument is missing, of the wrong kind, or a file that was"
    " not uploaded here."
)
CANCELLED = "Cancelled. The result on screen is the one before."
QUEUED = "In the queue: {place} of {count}."
LOST = "Server unreachable. The clip on screen still works."
TOO_LONG = "The prompt has {count} characters; shorten it to at most {most}."
BUSY_HINT = "Stored comparisons always work."
BUSY_ALONE = "Nothing was started; try again in a moment."
MISSING = (
    "The weights are missing ({names}). Restore them with {command} and start again{till_then}"
)
MISSING_STORED = "; stored comparisons work without them."
MISSING_ALONE = "; until then nothing can be drawn or inspected, and no comparison is stored here."
MISSING_COMMAND = "git checkout -- checkpoints"

# Results
FOUND = "Found: the same settings were drawn before."
BADGE_FOUND = "drawn before"
NO_SUCH_RUN = "This run is no longer kept; press Generate to draw it again."
OPENED = "Opened at frame {frame}, where the clips differ most; {name} is the steadier one there."
OPENED_SINGLE = "Opened at frame {frame}, which flickers most."
PSNR = "autoencoder, dB PSNR"
EXPLAINED = "pixels that the slots explain, percent"
COMMON_FRAMES = "The clips differ in length; the first {count} frames are compared."
OUTCOMES = {
    "better": "better in {measures}",
    "worse": "worse in {measures}",
    "alike": "about equal in {measures}",
}
VERDICT = (
    "On this seed {second} against {first}: {parts}. One seed is an observation, not a result; the"
    " spread over many prompts stands beside each number."
)
VERDICT_ALONE = (
    "{second} against {first}: {parts}. One pair of clips is an observation, not a result."
)

# Downloads and links
EXPORT = "Take it away"
DOWNLOAD = "Download"
EXPORTS = {
    "Report: this page as one file (html)": "report",
    "Side by side, with slots (mp4)": "side-by-side",
    "First clip (mp4)": "mp4-a",
    "Second clip (mp4)": "mp4-b",
    "Side by side (gif)": "gif",
    "Side by side (webp)": "webp",
    "Figures (png)": "png",
    "Figures (pdf)": "pdf",
    "Frames, slots, masks, correlation (npz)": "npz",
    "Numbers, a row a slot and frame (csv)": "csv",
    "Numbers (json)": "json",
    "Settings, to draw it again (run.json)": "run",
}
SHARE = "Copy a link to this view"

# Runs and API
RUNS = "Runs of this visit, and stored ones"
STORED_RUN = "Stored, {title}: {detail}"
RUNS_HINT = (
    "Choose a run to see it again. Runs are kept on this machine until newer ones need room."
)
PAIR_HINT = "Or put any two clips beside each other, for example one model under two seeds."
PAIR_RUN = "{side}: run"
PAIR_MODEL = "Model"
PAIR = "Show this pair"
AND = " and "
PAIR_BADGE = "a pair of your choice"
API_HINT = "The same comparison by code, with the settings of the first tab."
SHELL = "Shell"
PYTHON = "Python"
MCP = "MCP client (start with `python app.py --mcp`)"

# What the endpoints say of themselves
ENDPOINTS = {
    "generate": """Draw one clip from a prompt and find its object slots.

    Args:
        prompt: What the clip shows, 1 to 300 characters.
        seed: Of the noise, 0 to 2147483647; the same seed draws the same clip.
        checkpoint: Which model draws: olvdm or lvdm.
        num_inference_steps: Denoising steps, 1 to 100; 10 are usual.
        guidance_scale: How strongly the prompt steers, 0 to 20; 3 is usual.

    Returns:
        One report a step, last the run's name, its frame hash and its measures, and the clip as mp4
        and all arrays as npz.
    """,
    "compare": """Draw the same prompt from the same noise with LVDM and with OLVDM.

    Where its slots are not steady half way, OLVDM tries further noises, and keeps the clip whose
    slots are steadiest among those that show what the prompt asks for.

    Args:
        prompt: What the clips show, 1 to 300 characters.
        seed: Of the noise, 0 to 2147483647.
        num_inference_steps: Denoising steps, 1 to 100; 10 are usual.
        guidance_scale: How strongly the prompt steers, 0 to 20; 3 is usual.

    Returns:
        One report a step, last the run's name, frame hashes and paired measures, and both clips
        side by side as mp4 and all arrays as npz.
    """,
    "inspect": """Find the objects of a video clip, and which of them flickers and when.

    Args:
        clip: A video file: MP4, WebM, MKV, AVI, GIF or APNG.
        num_slots: Objects to look for and one for the background, 2 to 11.
        max_frames: Frames to look at, 8 to 32.
        adapt_steps: Steps of fitting the slots to this clip, 0 to 200.

    Returns:
        Reports on the way, last the measures, which slot holds which object in every frame, and all
        arrays as npz.
    """,
    "metrics": """Return the measures of a finished run.

    Args:
        run_id: The name that generate, compare or inspect returned.

    Returns:
        Every measure with its values, direction and judge.
    """,
    "list_checkpoints": """List the models: name, checksum, sizes and what they can do.

    Returns:
        One entry a model.
    """,
}
