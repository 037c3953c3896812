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
STEPS_INFO = "More are slower; 10 are enough for these models."
GUIDANCE = "Guidance"
GUIDANCE_INFO = "How strongly to follow the prompt; 1 is as trained."
SETTINGS = "Steps and guidance"
GENERATE = "Generate both"
CANCEL = "Cancel"
STORED = "Stored comparisons"
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
EXPLAINED = "Pixels explained by slots"
LOWER = "lower is steadier"
CONTEXT = "context"
SCORES = {PSNR: "higher is closer to the clip", EXPLAINED: "1 is all of them"}
UNDEFINED = "undefined"
VERDICT = (
    "On this seed {second} {words} {first}: {b} against {a} for the objects. One seed is an"
    " observation, not a result; the model card has the averages and their spread."
)
UNDEFINED_VERDICT = "No flicker can be measured: no slot holds an object in three frames in a row."

HOW_IT_WORKS = """
## What you see

**Two models draw the same clip.** Both begin with the same noise and read the same prompt. LVDM is
a latent video diffusion model: it removes the noise step by step, in the small space of a video
autoencoder. OLVDM is the *same network with the same number of steps of training*. The only
difference is one more term in its loss.

**Slots find the objects.** Slot attention looks at every video frame and lets a handful of vectors,
the *slots*, compete for its pixels. In the end each slot holds one object and one of them holds the
background. Nobody told it what an object is. The colours over a clip are these slots: one object,
one colour.

**Slots show who stays who.** If the slot of the red circle in frame 5 is the slot of the red circle
in frame 6, the two vectors are alike. The heatmap compares every slot of every frame with every
other. Sorted by slot, a clip whose objects stay themselves has *bright blocks along the diagonal*;
a stripe that fades, or a bright block off the diagonal, is an object that changed or swapped.

## The loss

OLVDM learns two things at once:
"""

LOSS = r"""
$$
\mathcal{L} \;=\;
\underbrace{\big\lVert v_\theta(z_\tau, \tau, c) - (\epsilon - z_0) \big\rVert^2}_{\text{draw the clip}}
\;+\; \lambda \, (1 - \tau)
\underbrace{\Big( \big\lVert C_{t,u}(\hat S) - C_{t,u}(S) \big\rVert^2
+ \tfrac{1}{2} \big\lVert C_{t+1,t+1}(\hat S) - C_{t,t}(\hat S) \big\rVert^2 \Big)}_{\text{keep the objects}}
$$
"""

AFTER_LOSS = """
$z_0$ are the latents of a clip, $z_\\tau$ the same with noise $\\epsilon$, $c$ is the prompt and
$v_\\theta$ the network. Its prediction gives a guess of the finished clip; $\\hat S$ are the slots
of that guess, $S$ those of the true clip, and $C_{t,u}$ is the correlation of the slots of frame
$t$ with those of frame $u$. A guess in which an object turns into another has other correlations,
and costs. The second term counts less where the guess is still mostly noise; $\\lambda$ keeps its
pull at a fixed share of the first. LVDM is the same with $\\lambda = 0$.

While *drawing*, no slots are needed: OLVDM is as fast as LVDM.

## Words

| word | meaning |
|---|---|
| slot | a vector that holds one object of one frame, and a mask of the pixels that it claims |
| mask | a slot's share of every pixel; the shares of all slots sum to 1 |
| correlation | how alike two slots are: 1 the same, 0 unrelated, -1 opposite |
| identity switch | an object passes from one slot to another |
| flicker | what changes for one frame and is gone in the next: looks, area and shape of a slot; steady motion costs nothing |
| motion | how far the picture moves from frame to frame; a frozen clip never flickers, so read both |
| guidance | how strongly the prompt steers; above 1 it exaggerates |
| adaptation | some steps of training on your clip alone, with the autoencoder frozen |

## Limits

* The models were trained on **simple moving shapes**. Prompts in other words give clips of shapes.
* Clips have 64 x 64 pixels and 16 frames, so that two CPU cores draw them in seconds.
* On clips from the outside world slots often follow colour and place, not things. The page says so
  when the autoencoder blurs the clip or the slots cannot redraw it.
* One seed proves nothing. Scores over many prompts and seeds are in the model card,
  `checkpoints/README.md`, with the command that measured them.
* Uploads stay in this process, are deleted once they are decoded, and are gone when it ends.
"""
