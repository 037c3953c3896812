// The slots as buttons: one a colour, for both clips at once.
const chipKeys = () => [...new Set(clips().flatMap((clip) => clip.slots.map(keyOf)))];

const buildChips = () => {
  find('.si-chips').replaceChildren(...chipKeys().map((key) => {
    const held = clips().map((clip) => clip.slots.find((slot) => keyOf(slot) === key));
    const first = held.find(Boolean);
    const marks = [...new Set(held.filter(Boolean).map((slot) => slot.mark))];
    const text = marks.length === 1 ? marks[0] : held.map((slot, side) => (slot ? letter(side) + slot.mark : '')).join(' ').trim();
    const chip = node('button', text, 'si-chip');
    const name = marks.length === 1 ? first.label : held.flatMap((slot, side) => (slot ? [letter(side) + ' ' + slot.label] : [])).join(', ');
    Object.assign(chip, { type: 'button', title: name + (held.some((slot) => slot && slot.is_present) ? '' : ', always empty') });
    Object.assign(chip.dataset, { do: 'slot', value: key });
    chip.setAttribute('aria-label', chip.title);
    dress(chip, { ...first, rgb: channels(first.colour) });
    return chip;
  }));
  paintChips();
};

const paintChips = () => {
  for (const chip of all('.si-chip')) {
    const key = chip.dataset.value;
    const isOn = state.solo === null ? !state.hidden.has(key) : state.solo === key;
    chip.setAttribute('aria-pressed', String(isOn));
    chip.classList.toggle('si-alone', state.solo === key);
  }
};

const slotsChanged = () => {
  paintChips();
  buildCurves();
  paint();
};

const toggleSlot = (key) => {
  if (state.solo !== null) state.solo = null;
  else if (!state.hidden.delete(key)) state.hidden.add(key);
  slotsChanged();
};

const soloSlot = (key) => {
  state.solo = state.solo === key ? null : key;
  slotsChanged();
};

const showAllSlots = () => {
  state.solo = null;
  state.hidden.clear();
  slotsChanged();
};

const showOverlay = (opacity) => {
  state.opacity = clamp(opacity, 0, 1);
  state.overlay = true;
  find('.si-opacity').value = Math.round(100 * state.opacity);
  paint();
};
