"""Finished runs -> what the page shows of them: names, figures, badge, settings in words."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from olvdm.request import InspectionRequest
from olvdm.serving.clip_shelf import ShelvedClip
from visualize.screen import texts
from visualize.screen.shown import Finished

if TYPE_CHECKING:
    from olvdm.evaluation.inspection import Inspection
    from olvdm.serving.stored_runs import StoredRun
    from visualize.payload import Metric, Spread

MODELS = ("lvdm", "olvdm")  # A and B, from left to right


def finished_comparison(
    run: "StoredRun", run_id: str, badge: str, text: str, spreads: "Mapping[str, Spread]"
) -> Finished:
    """Show clips that models drew, measured by judges that no model was trained against.

    Args:
        run: Both clips.
        run_id: Its name.
        badge: Where it comes from.
        text: The last line of the status.
        spreads: What many prompts say, by the name of the measure.

    Returns:
        What to show.
    """
    from olvdm.verdict import verdict_rows
    from visualize.inspected import InspectedClip

    clips = tuple(
        InspectedClip.of(shown_name(name), _what(name, run.settings), clip)
        for name, clip in run.clips.items()
    )
    return Finished(
        clips,
        run_id=run_id,
        badge=_with_seed(badge, run.settings),
        caption=subject_of(run),
        text=text,
        metrics=tuple(verdict_rows([clip.frames for clip in clips], spreads)),
        denoising=tuple(run.denoising),
        settings=_as_texts(run.settings),
        sources=_sources(run_id, run),
    )


def finished_inspection(
    clips: Sequence[ShelvedClip],
    found: "Sequence[Inspection]",
    request: InspectionRequest,
    run_id: str,
) -> "tuple[StoredRun, Finished]":
    """Show clips from any source.

    Args:
        clips: One or two.
        found: What was found in each.
        request: What was asked for.
        run_id: Names the result.

    Returns:
        All that was found, for downloads, and what to show of it.
    """
    from olvdm.serving.stored_runs import StoredRun
    from visualize.inspected import InspectedClip

    names = _told_apart([clip.name for clip in clips])
    settings = dataclasses.asdict(request)
    arrays = {f"clip-{letter}": vars(one) for letter, one in zip("ab", found, strict=False)}
    shown = tuple(
        InspectedClip.of(name, _size_of(one), vars(one))
        for name, one in zip(names, found, strict=True)
    )
    finished = Finished(
        shown,
        run_id=run_id,
        badge=texts.BADGE_UPLOAD if any(clip.is_upload for clip in clips) else texts.BADGE_TEST,
        metrics=_slot_metrics(found),
        warning=_warning(names, found, is_adapted=request.adapt_steps > 0),
        settings=_as_texts(settings),
    )
    run = StoredRun(texts.AND.join(names), settings, arrays)
    return run, dataclasses.replace(finished, sources=_sources(run_id, run))


def pair_of(chosen: "Sequence[tuple[StoredRun, str, str]]") -> "StoredRun":
    """Put one clip of each of two runs side by side.

    Args:
        chosen: A run, the key of one of its clips and that clip's name, twice.

    Returns:
        A run of both clips.
    """
    from olvdm.serving.stored_runs import StoredRun

    names = _told_apart([_with_seed(name, run.settings) for run, _, name in chosen])
    clips = {name: run.clips[key] for name, (run, key, _) in zip(names, chosen, strict=True)}
    titles = dict.fromkeys(subject_of(run) for run, _, _ in chosen)
    # No prompt among the settings: that would claim that the clips were drawn together.
    settings = {name: dict(run.settings) for name, (run, *_) in zip(names, chosen, strict=True)}
    return StoredRun(texts.AND.join(titles), settings, clips)


def subject_of(run: "StoredRun") -> str:
    """Return what a run shows: its prompt, or the names of its clips."""
    return str(run.settings.get("prompt", run.title))


def label_of(run: "StoredRun") -> str:
    """Return a line by which a person knows a run again."""
    return _with_seed(subject_of(run), run.settings)


def shown_name(name: str) -> str:
    """Return the name of a clip as the page writes it."""
    return name.upper() if name in MODELS else name


def _slot_metrics(found: "Sequence[Inspection]") -> "tuple[Metric, ...]":
    from olvdm.verdict import slot_rows

    scores = {
        texts.EXPLAINED: [100 * one.explained for one in found],
        texts.PSNR: [one.reconstruction_psnr for one in found],
    }
    rows = slot_rows(
        [one.flicker for one in found],
        [one.background for one in found],
        [one.motion for one in found],
        scores,
    )
    return tuple(rows)


def _warning(names: Sequence[str], found: "Sequence[Inspection]", *, is_adapted: bool) -> str:
    """Say what to know before the slots are read: what the model does not know, what is empty."""
    words: list[str] = []
    if not all(one.is_familiar for one in found):
        words.append(texts.UNFAMILIAR_STILL if is_adapted else texts.UNFAMILIAR)
    empty = [name for name, one in zip(names, found, strict=True) if not one.has_objects]
    if empty:
        clips = texts.AND.join(empty) if len(found) > 1 else texts.THIS_CLIP
        remedy = texts.ADAPT_LESS if is_adapted else texts.ADAPT_MORE
        words.append(texts.NOTHING_FOUND.format(clips=clips, remedy=remedy))
    return " ".join(words)


def _size_of(found: "Inspection") -> str:
    count, height, width = found.frames.shape[:3]
    return texts.WHAT_INSPECTED.format(frames=count, width=width, height=height)


def _what(name: str, settings: Mapping[str, object]) -> str:
    """Say what made a clip, and which noise it comes from where that is not the first."""
    what, candidates = texts.WHAT.get(name, ""), settings.get("candidates")
    candidate = candidates.get(name) if isinstance(candidates, Mapping) else None
    if not isinstance(candidate, int) or candidate < 1:
        return what
    return texts.WHAT_CHOSEN.format(what=what, number=candidate + 1)


def _with_seed(words: str, settings: Mapping[str, object]) -> str:
    """Add the seed of a run that has one."""
    return f"{words}, seed {settings['seed']}" if "seed" in settings else words


def _sources(run_id: str, run: "StoredRun") -> tuple[str, ...]:
    return tuple(f"{run_id}/{key}" for key in run.clips)


def _told_apart(names: list[str]) -> list[str]:
    """Add letters to names that are the same."""
    if len(set(names)) == len(names):
        return names
    return [f"{name} {letter}" for name, letter in zip(names, "AB", strict=True)]


def _as_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """Return settings as a person reads them, each value with a name of its own."""
    shown: dict[str, str] = {}
    for name, value in settings.items():
        words = name.replace("_", " ")
        if isinstance(value, Mapping):
            shown |= {f"{words}, {part}": one for part, one in _as_texts(value).items()}
        elif value not in (None, "", ()):
            shown[words] = str(round(value, 6) if isinstance(value, float) else value)
    return shown
