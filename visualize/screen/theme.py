"""How the page looks: one accent, system fonts, room to read, light and dark."""

import gradio as gr

FONTS = ("ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")

STYLE = """
.gradio-container { max-width: 1180px !important; margin: 0 auto !important; padding: 20px 24px 48px !important; }
.page-head { display: flex; justify-content: space-between; align-items: flex-start; gap: 16px; flex-wrap: nowrap; }
.page-head h1 { font-size: 26px; line-height: 1.25; font-weight: 700; letter-spacing: -.01em; margin: 0; color: var(--body-text-color); }
.page-head p { margin: 4px 0 0; font-size: 15px; color: var(--body-text-color-subdued); }
.page-head button { flex: none; min-height: 40px; padding: 0 14px; font-size: 14px; border-radius: 9px; cursor: pointer; color: var(--body-text-color); background: var(--background-fill-secondary); border: 1px solid var(--border-color-primary); }
.page-banner { padding: 12px 16px; border-radius: 10px; border: 1px solid #d97706; background: color-mix(in srgb, #f59e0b 12%, transparent); color: var(--body-text-color); font-size: 15px; margin: 0; }
.page-banner code { font-size: 13px; padding: 1px 6px; border-radius: 5px; background: var(--background-fill-secondary); }
.panel { border: 1px solid var(--border-color-primary); border-radius: 14px; padding: 16px !important; background: var(--block-background-fill); }
.prose-page { max-width: 76ch; font-size: 16px; line-height: 1.65; }
.prose-page .katex-display { overflow-x: auto; overflow-y: hidden; padding: 4px 0; }
.side-button { min-width: 44px !important; }
button { touch-action: manipulation; }
@media (max-width: 640px) {
  .gradio-container { padding: 14px 12px 40px !important; }
  .page-head h1 { font-size: 21px; }
  .panel { padding: 12px !important; }
}
"""

HEAD_TEMPLATE = """
<header class="page-head">
  <div><h1>Object-centric latent video diffusion</h1>
  <p>One prompt, one noise, two models. Watch which one keeps its objects.</p></div>
  <button type="button" class="dark-button" aria-label="Switch between light and dark">Light / dark</button>
</header>
"""
HEAD_SCRIPT = """
element.querySelector('.dark-button').addEventListener('click', () => document.body.classList.toggle('dark'));
"""


def theme() -> gr.themes.Base:
    """Return the theme of the page.

    Ours: fonts that every system has, since the page must work without a network.
    """
    return gr.themes.Base(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        radius_size="md",
        spacing_size="md",
        text_size="md",
        font=FONTS,
        font_mono=MONO_FONTS,
    ).set(
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
