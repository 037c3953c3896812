"""How the page looks: one accent, system fonts, room to read, light and dark."""

from pathlib import Path

from gradio.themes import Base

FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def theme() -> Base:
    """Return the theme of the page.

    Ours: fonts that every system has, since the page must work without a network.
    """
    return Base(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="md",
        text_size="md",
        font=FONTS,
        font_mono=MONO_FONTS,
    ).set(
        color_accent="*primary_600",  # of lighter ones small print on a tint is hard to read
        body_background_fill="white",
        body_background_fill_dark="*neutral_950",
        background_fill_secondary="*neutral_50",
        background_fill_secondary_dark="*neutral_900",
        block_border_width="0px",
        block_shadow="none",
        block_background_fill="white",
        block_background_fill_dark="*neutral_950",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_weight="600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="white",
        button_large_text_weight="600",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        input_background_fill="white",
        input_background_fill_dark="*neutral_900",
        input_border_width="1px",
    )
