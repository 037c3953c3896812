// What is shown now, and the few words that every view shares.
const SVG = 'http://www.w3.org/2000/svg';
const UNDEFINED = 255; // the code of a correlation without a value
const SPEEDS = [1, 2, 0.25, 0.5];
const root = host.element.querySelector('.si');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const uid = 'si' + Math.random().toString(36).slice(2, 8);

const state = {
  job: '', // the one that runs
  dropped: '', // the last one that was cancelled
  model: null, // the last finished result, decoded
  loads: 0, // values seen
  applied: 0, // the youngest value that reached the screen
  phase: 'loading',
  advice: '', // what to do while nothing is shown
  previews: null,
  frame: 0,
  playing: false,
  since: 0, // when frame 0 of this playing was due
  speed: 1,
  loops: true,
  step: null, // index of a denoising step, null for the final clip
  view: 'side',
  wipe: 0.5,
  style: 'contour', // which leaves the clip its own colours
  overlay: true,
  opacity: 0.4,
  hidden: new Set(), // colours of slots, the same in both clips
  solo: null,
  order: 'slot',
  matching: 'raw',
  side: 0, // clip of the pair of frames
  pair: null, // two frames that were chosen without a cell
  lock: null, // {side, cell} or {side, frame, slot}
  hover: null,
  pointer: null, // where the pointer is, null for the keyboard
  cursor: null, // {plot, side, row, column}: where the keyboard is in a matrix
};

const find = (selector) => root.querySelector(selector);
const all = (selector) => [...root.querySelectorAll(selector)];
const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
const letter = (side) => 'AB'[side];
const clips = () => (state.model ? state.model.clips : []);
const keyOf = (slot) => slot.colour + slot.lap;

const node = (tag, text, className) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const shape = (tag, attributes) => {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

// People's text reaches the page here and by `node`, as text alone.
const write = (element, text) => {
  if (element.textContent !== text) element.textContent = text || '';
  element.hidden = !text;
};

const signed = (value, digits) => {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace('-', '\u2212');
};
const percent = (share) => (100 * share).toFixed(1) + ' %';
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
const slotName = (clip, slot) => clip.slots[slot].label;

const press = (selector, value) => {
  for (const button of all(selector)) button.setAttribute('aria-pressed', String(button.dataset.value === String(value)));
};

const isVisible = (slot) => (state.solo === null ? !state.hidden.has(keyOf(slot)) : state.solo === keyOf(slot));

// A slot of one clip is the slot of the same colour in the other.
const sameSlot = (from, slot, to) => clips()[to].slots.findIndex((each) => keyOf(each) === keyOf(clips()[from].slots[slot]));

const aimed = () => state.hover || state.lock;
const aimedCell = () => (aimed() && aimed().cell) || (state.lock && state.lock.cell) || null;

// Slots that every view brings out at the frame on screen.
const emphasised = (side) => {
  const target = aimed();
  if (!target) return [];
  if (!target.cell) {
    if (target.slot === undefined) return [];
    const slot = target.side === side ? target.slot : sameSlot(target.side, target.slot, side);
    return slot < 0 ? [] : [slot];
  }
  if (target.side !== side) return [];
  const [t1, k1, t2, k2] = target.cell;
  return [[t1, k1], [t2, k2]].filter(([frame]) => frame === state.frame).map(([, slot]) => slot);
};
