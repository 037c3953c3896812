"""Every word of the page, in one place, so that tests read what people read."""

TITLE = "OLVDM"
TITLE_LONG = "OLVDM: object-centric latent video diffusion"
LEAD = "One prompt, one noise, two models. Watch which one keeps its objects."

TAB_COMPARE = "Compare"
TAB_INSPECT = "Inspect a clip"
TAB_HOW = "How it works"

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
STORED_LABEL = "Stored comparisons"
WHAT = {
    "lvdm": "the same network, trained without slots",
    "olvdm": "trained so that slots stay themselves",
}
BADGE_STORED = "stored"
BADGE_NEW = "drawn just now"

# Inspect
UPLOAD = "Video"
UPLOAD_HINT = (
    "{formats}, up to {megabytes} MB, {sides} pixels a side; the first {frames} frames are used."
)
TEST_CLIPS = "No video at hand? Take one of these"
NUM_SLOTS = "Slots"
NUM_SLOTS_INFO = "One object each, one for the background, and a spare."
MAX_FRAMES = "Frames"
MAX_FRAMES_INFO = "From the start of the clip."
ADAPT_STEPS = "Adaptation steps"
ADAPT_STEPS_INFO = "Fit the slots to this clip before looking; 0 takes them as trained."
INSPECT = "Find the objects"
FIRST_A_CLIP = "Choose a video or a test clip first."
BADGE_UPLOAD = "your clip"
YOUR_CLIP = "Your clip"
BADGE_TEST = "test clip"
WHAT_INSPECTED = "{frames} frames of {width}x{height}"
UNFAMILIAR = (
    "This clip lies outside what the model knows: it was trained on simple moving shapes. Read the"
    " slots below as an experiment, and try some adaptation steps."
)
GAIN = "Adaptation: slots explain {after} of the pixels, {before} before."

# States
NOTHING_YET = "No stored runs. Press Generate."
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
CANCELLED = "Cancelled. The result on screen is the one before."
BUSY_HINT = "Stored comparisons always work."
MISSING = (
    "The weights are missing ({names}). Restore them with {command} and start again;"
    " stored comparisons work without them."
)
MISSING_COMMAND = "git checkout -- checkpoints"
FAILED_SCRIPT = "The view could not be drawn in this browser; reload the page."

# Figures
FLICKER_OBJECTS = "Flicker of the objects"
FLICKER_ALL = "Flicker of the picture"
SWITCHES = "Identity switches"
MOTION = "Motion, pixels a frame"
PSNR = "Autoencoder, PSNR in dB"
EXPLAINED = "Pixels explained by slots, percent"
LOWER = "lower is steadier"
CONTEXT = "context"
SCORES = {PSNR: "higher is closer to the clip", EXPLAINED: "100 is all of them"}
UNDEFINED = "undefined"
VERDICT = (
    "On this seed {second} {words} {first}: {b} against {a} for the objects. One seed is an"
    " observation, not a result; the model card has the averages and their spread."
)
UNDEFINED_VERDICT = "No flicker can be measured: no slot holds an object in three frames in a row."
