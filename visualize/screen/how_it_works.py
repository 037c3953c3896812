"""The tab that explains: text, the loss, words and limits."""

import gradio as gr

from visualize.screen.fixed_html import fixed_html

FORMULAS = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]
TEXT = r"""
## What you see

**Two models draw the same clip.** Both begin with the same noise and read the same prompt. LVDM is
a latent video diffusion model: it removes the noise step by step, in the small space of a video
autoencoder. OLVDM is the *same network*, which went on from the same base for the same number of
steps. It differs in two things: one more term in its loss, and slots that look on while it draws.

**Slots find the objects.** Slot attention looks at every video frame and lets a handful of vectors,
the *slots*, compete for its pixels. In the end each slot holds one object and one of them holds the
background. Nobody told it what an object is. The colours over a clip are these slots: one object,
one colour.

**Slots show who stays who.** If the slot of the red circle in frame 5 is the slot of the red circle
in frame 6, the two vectors are alike, wherever the circle went: they are compared by what a slot
holds, and not by where. The heatmap compares every slot of every frame with every other. Sorted by
slot, a clip whose objects stay themselves has *orange blocks along the diagonal*; a stripe that
fades, or orange off the diagonal, is an object that changed or swapped.

**Masks follow the picture.** A slot draws its object in one colour and claims a blob of pixels. The
masks on the screen are the *posterior*: a pixel goes to the slot that claims it *and* would draw it
in its true colour.

## The loss

OLVDM learns two things at once:

$$
\mathcal{L} \;=\;
\underbrace{\big\lVert v_\theta(z_\tau, \tau, c) - (\epsilon - z_0) \big\rVert^2
}_{\text{draw the clip}}
\;+\; \lambda \, (1 - \tau)
\underbrace{\Big( \big\lVert C_{t,u}(\hat S) - C_{t,u}(S) \big\rVert^2
+ \tfrac{1}{2} \big\lVert C_{t+1,t+1}(\hat S) - C_{t,t}(\hat S) \big\rVert^2 \Big)
}_{\text{keep the objects}}
$$

$z_0$ are the latents of a clip, $z_\tau$ the same with noise $\epsilon$, $c$ is the prompt and
$v_\theta$ the network. Its prediction gives a guess of the finished clip; $\hat S$ are the slots
of that guess, $S$ those of the true clip, and $C_{t,u}$ is the correlation of the slots of frame
$t$ with those of frame $u$. A guess in which an object turns into another has other correlations,
and costs. The second term counts less where the guess is still mostly noise; $\lambda$ keeps its
pull at a fixed share of the first. LVDM is the same with $\lambda = 0$.

## The choice

What is where in a clip is decided in the first steps, while it is still mostly noise. There most
faults begin: two guesses of one object are drawn at once. So OLVDM looks up once on its way. As
soon as a clip can be made out, slots look at every frame of what is expected: is the diagonal of
$C_{t,u}$ near 1 for all pairs of frames? Then it goes on, and so it does for one clip in three.
Otherwise it tries some further noises as far as this, goes on with the two best, and keeps the one
whose slots are steadier at its end. A clip that lacks an object has steady slots too; so the best
are those that also show what was asked for. The denoiser itself tells: under fresh noise it knows
such a clip again much better when it is told the prompt, and another one hardly better.

The control does the same with slots that forgot which of a frame is which. The model card and the
page of results say what the loss and the choice bring, each by itself.

## Words

| word | meaning |
|---|---|
| slot | a vector that holds one object of one frame, and a mask of the pixels that it claims |
| mask | a slot's share of every pixel; the shares of all slots sum to 1 |
| correlation | how alike two slots are: 1 the same, 0 unrelated, -1 opposite |
| identity switch | an object passes from one slot to another |
| flicker | what comes and goes from frame to frame: a slot's looks, area, shape; not its motion |
| motion | how far the picture moves a frame; a frozen clip never flickers, so read both |
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


def build_how_it_works() -> None:
    """Lay the tab out; its captions lead to the first tab by themselves."""
    fixed_html("looks")
    gr.Markdown(TEXT, latex_delimiters=FORMULAS, elem_classes="prose-page")
