// The keyboard, while the focus is in the inspector.
const KEYS = [
  ['Space', 'play or pause'], ['\u2190 \u2192', 'one frame back or on'], ['Shift \u2190 \u2192', 'five frames'], ['Home, End', 'first, last frame'],
  ['1 to 9', 'show or hide an object'], ['0', 'show or hide the background'], ['s', 'one slot alone: the next one, then all'], ['a', 'all slots'],
  ['o', 'slot colours on or off'], ['[ ]', 'weaker or stronger colours'], ['c', 'fill or contour'], ['w', 'side by side, wipe, difference'],
  ['m', 'matrix by frame or by slot'], ['r', 'raw or matched numbers'], ['Arrows, Enter', 'in a matrix: move, hold a cell'], ['Escape', 'let go'], ['?', 'this list'],
];

const next = (values, value) => values[(values.indexOf(value) + 1) % values.length];

const objectKeys = () => chipKeys().filter((key) => !backgroundKeys().includes(key));
const backgroundKeys = () => clips().flatMap((clip) => clip.slots.filter((slot) => slot.is_background).map(keyOf));

// What is empty in every frame is never shown alone.
const heldKeys = () => objectKeys().filter((key) => clips().some((clip) => clip.slots.some((slot) => keyOf(slot) === key && slot.is_present)));

const soloNext = () => {
  const keys = [...heldKeys(), null];
  state.solo = state.solo === null ? keys[0] : next(keys, state.solo);
  slotsChanged();
};

const PRESSED = {
  ' ': () => play(!state.playing),
  ArrowLeft: (event) => step(event.shiftKey ? -5 : -1),
  ArrowRight: (event) => step(event.shiftKey ? 5 : 1),
  Home: () => jumpTo(0),
  End: () => jumpTo(numFrames() - 1),
  s: soloNext,
  a: showAllSlots,
  o: () => { state.overlay = !state.overlay; paint(); },
  '[': () => showOverlay(state.opacity - 0.1),
  ']': () => showOverlay(state.opacity + 0.1),
  c: () => ACTIONS.style(next(['fill', 'contour'], state.style)),
  w: () => { if (clips().length > 1) ACTIONS.view(next(['side', 'wipe', 'difference'], state.view)); },
  m: () => ACTIONS.order(next(['frame', 'slot'], state.order)),
  r: () => ACTIONS.matching(next(['raw', 'matched'], state.matching)),
  '?': () => showHelp(find('.si-help').hidden),
  Escape: () => { showHelp(false); release(); },
  0: () => { if (backgroundKeys().length) toggleSlot(backgroundKeys()[0]); },
};

const pressed = (key) => {
  if (/^[1-9]$/.test(key)) return () => { const found = objectKeys()[Number(key) - 1]; if (found) toggleSlot(found); };
  return PRESSED[key] || PRESSED[key.toLowerCase()];
};

// Native controls keep their own keys.
const isTaken = ({ target, key }) => {
  if (target.matches('select')) return key !== 'Escape';
  if (target.matches('input[type="range"]')) return key.startsWith('Arrow') || ['Home', 'End'].includes(key);
  return target.matches('button, summary') && [' ', 'Enter'].includes(key);
};

const onKey = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !state.model || isTaken(event)) return;
  const plot = event.target.closest('[role="application"]');
  const action = (plot && inMatrix(plot, event.key)) || pressed(event.key);
  if (!action) return;
  event.preventDefault();
  action(event);
};

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

const inMatrix = (plot, key) => {
  if (MOVES[key]) return () => moveCursor(plot, MOVES[key]);
  return key === 'Enter' && state.hover && state.hover.cell ? () => hold(state.hover) : null;
};

const moveCursor = (plot, [down, right]) => {
  const side = Number(plot.dataset.side);
  const clip = clips()[side];
  const isPair = plot.dataset.plot === 'pair';
  const rows = isPair ? clip.numSlots : clip.numSlots * clip.numFrames;
  const old = state.cursor || { row: -Math.max(0, down), column: -Math.max(0, right) };
  const { frames } = state.cursor || shownPair();
  state.cursor = { row: clamp(old.row + down, 0, rows - 1), column: clamp(old.column + right, 0, rows - 1), frames };
  const { row, column } = state.cursor;
  state.pointer = null;
  point({ side, cell: isPair ? pairCell(clip, frames, row, column) : cellAt(side, row, column) });
  find('.si-readout').textContent = targetWords(state.hover);
};

const showHelp = (wanted) => {
  const help = find('.si-help');
  const list = node('dl');
  KEYS.forEach(([key, words]) => { const pair = node('div'); pair.append(node('dt', key), node('dd', words)); list.append(pair); });
  help.replaceChildren(node('h2', 'Keys'), list);
  help.hidden = !wanted;
  find('.si-keys').setAttribute('aria-expanded', String(wanted));
};
