"""Pictures and masks agree with geometry that is written down here a second time."""

import math
from dataclasses import replace

import numpy as np
import pytest
from jaxtyping import Float32

from olvdm.data.motion import World
from olvdm.data.rendering import draw_backdrop, render
from olvdm.data.scene import COLOURS, SHAPES, TEXTURES, Backdrop, Scene, ShapesObject, Surface

WORLD = World(num_frames=1, height=64, width=64)
GREY = np.full(3, 70, np.float32)
PLAIN = Backdrop("plain", GREY, GREY, direction=0.0, period=12.0)
MATT = Surface(direction=0.4, period=0.7, phase=0.2, contrast=0.45, shading=0.0)
SHINY = Surface(direction=0.4, period=0.7, phase=0.2, contrast=0.45, shading=0.1)


RED_CIRCLE = ShapesObject("circle", "red", "flat", "still", depth=0, radius=10.0)


def make_object(shape: str = "circle", **changes) -> ShapesObject:
    return replace(RED_CIRCLE, shape=shape, **changes)


def make_scene(
    *objects: ShapesObject,
    centres: list[tuple[float, float]],
    angle: float = 0.0,
    surface: Surface = MATT,
) -> Scene:
    return Scene(
        objects,
        tracks=np.array([centres], np.float32),
        angles=np.full((1, len(objects)), angle, np.float32),
        surfaces=(surface,) * len(objects),
        backdrop=PLAIN,
    )


def draw_alone(shape: str, angle: float = 0.0) -> Float32[np.ndarray, "h w"]:
    scene = make_scene(make_object(shape), centres=[(32, 32)], angle=angle)
    return render(scene, WORLD).coverage[0, 0]


AREAS = {
    "circle": math.pi,
    "square": 1.8**2,
    "triangle": 3 * math.sqrt(3) / 4 * 1.2**2,
    "diamond": 2 * 0.86 * 1.25,
    "star": 5 * 1.25 * 0.56 * math.sin(math.pi / 5),
    "cross": 2 * 2.24 * 0.8 - 0.8**2,
    "heart": 1.95**2 * (0.5 + math.pi / 8),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_has_the_area_of_its_outline(shape: str) -> None:
    assert draw_alone(shape).sum() == pytest.approx(100 * AREAS[shape], rel=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_turning_keeps_the_area(shape: str) -> None:
    assert draw_alone(shape, 0.7).sum() == pytest.approx(draw_alone(shape).sum(), rel=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_smallest_shape_is_twelve_pixels_across(shape: str) -> None:
    scene = make_scene(make_object(shape, radius=7.0), centres=[(32, 32)])
    coverage = render(scene, WORLD).coverage[0, 0]
    assert min((coverage.max(axis) > 0).sum() for axis in (0, 1)) >= 12


@pytest.mark.parametrize("shape", SHAPES)
def test_shape_is_its_own_mirror_image(shape: str) -> None:
    coverage = draw_alone(shape)
    np.testing.assert_allclose(coverage, coverage[:, ::-1], atol=1e-5)


def test_triangle_points_up() -> None:
    rows = draw_alone("triangle").sum(1)
    assert rows[28] < rows[36]


def test_heart_points_down() -> None:
    rows = draw_alone("heart").sum(1)
    assert rows[40] < rows[28]


def test_quarter_turn_is_clockwise() -> None:
    columns = draw_alone("triangle", math.pi / 2).sum(0)
    assert columns[36] < columns[28]


def test_mask_of_a_circle_is_every_pixel_whose_middle_lies_in_it() -> None:
    masks = render(make_scene(make_object(), centres=[(30.3, 33.8)]), WORLD).true_masks[0]
    y, x = np.mgrid[:64, :64] + 0.5
    np.testing.assert_array_equal(masks == 1, np.hypot(x - 30.3, y - 33.8) < 10)


def test_mask_shows_the_nearer_object_where_two_overlap() -> None:
    near, far = make_object(depth=0), make_object("square", depth=1, colour="blue")
    masks = render(make_scene(far, near, centres=[(32, 32), (38, 32)]), WORLD).true_masks[0]
    y, x = np.mgrid[:64, :64] + 0.5
    np.testing.assert_array_equal(masks == 2, np.hypot(x - 38, y - 32) < 10)


def test_flat_object_has_the_colour_of_its_name() -> None:
    frames = render(make_scene(make_object(), centres=[(32, 32)]), WORLD).frames
    assert tuple(frames[0, 32, 32]) == COLOURS["red"]


def test_background_is_left_as_it_is_where_no_object_lies() -> None:
    frames = render(make_scene(make_object(), centres=[(32, 32)]), WORLD).frames
    assert tuple(frames[0, 2, 2]) == (70, 70, 70)


def test_edge_pixels_mix_the_colours_on_both_sides() -> None:
    scene = make_scene(make_object("square", radius=10.0), centres=[(32.5, 32)])
    frames = render(scene, WORLD).frames  # its left edge is at 23.5, in the middle of a pixel
    np.testing.assert_allclose(frames[0, 32, 23], (np.array(COLOURS["red"]) + 70) / 2, atol=1)


def test_free_object_is_fully_visible() -> None:
    visibility = render(make_scene(make_object(), centres=[(32, 32)]), WORLD).visibility
    assert visibility[0, 0] == pytest.approx(1)


def test_object_at_the_edge_is_half_visible() -> None:
    visibility = render(make_scene(make_object(), centres=[(0, 32)]), WORLD).visibility
    assert visibility[0, 0] == pytest.approx(0.5, abs=0.01)


def test_object_beyond_the_corner_leaves_no_trace() -> None:
    rendering = render(make_scene(make_object(), centres=[(-40, 90)]), WORLD)
    assert rendering.visibility[0, 0] == 0
    assert (rendering.frames == 70).all()


def test_object_behind_an_equal_one_is_invisible() -> None:
    near, far = make_object("square"), make_object("square", depth=1, colour="blue")
    scene = make_scene(near, far, centres=[(32, 32), (32, 32)])
    assert render(scene, WORLD).visibility[0, 1] < 0.02


@pytest.mark.parametrize("texture", TEXTURES)
@pytest.mark.parametrize("colour", COLOURS)
def test_textured_object_is_still_mostly_nearest_to_its_own_colour(
    colour: str, texture: str
) -> None:
    thing = make_object("circle", colour=colour, texture=texture)
    rendering = render(make_scene(thing, centres=[(32, 32)], surface=SHINY), WORLD)
    pixels = rendering.frames[rendering.true_masks == 1].astype(float)
    distances = np.linalg.norm(pixels[:, None] - np.array(list(COLOURS.values())), axis=2)
    nearest = np.bincount(distances.argmin(1), minlength=len(COLOURS)).argmax()
    assert list(COLOURS)[nearest] == colour


@pytest.mark.parametrize("texture", ["striped", "dotted", "gradient"])
def test_texture_varies_the_paint(texture: str) -> None:
    rendering = render(make_scene(make_object(texture=texture), centres=[(32, 32)]), WORLD)
    assert rendering.frames[rendering.true_masks == 1].astype(float).std(0).max() > 8


@pytest.mark.parametrize("pattern", ["gradient", "waves", "checks", "stripes"])
def test_backdrop_stays_between_its_two_colours(pattern: str) -> None:
    first, second = np.full(3, 60, np.float32), np.full(3, 80, np.float32)
    drawn = draw_backdrop(Backdrop(pattern, first, second, direction=0.3, period=14.0), WORLD)
    assert drawn.min() >= 60 - 1e-3
    assert drawn.max() <= 80 + 1e-3
    assert np.ptp(drawn) > 15
