// What a press, a move of the pointer and a slider do; one listener an event, on the root.
const AIMS = {
  player: (plot, place) => aimPlayer(Number(plot.dataset.side), place),
  strip: (plot, place) => aimStrip(Number(plot.dataset.side), place),
  matrix: (plot, place) => aimMatrix(Number(plot.dataset.side), place),
  pair: (plot, place) => aimPair(plot, place),
  timeline: (plot, place) => aimTimeline(Number(plot.dataset.side), place),
  curve: (plot, place) => aimCurve(plot, place),
};

const aimPlayer = (side, { x, y }) => {
  const { masks } = sourceOf(side);
  if (!masks) return null;
  const frame = clamp(state.frame, 0, masks.frames - 1);
  const place = Math.floor(y * masks.height) * masks.width + Math.floor(x * masks.width);
  return { side, slot: masks.winner[frame * masks.width * masks.height + place] };
};

const TAKES = {
  player: (target) => soloSlot(keyOf(clips()[target.side].slots[target.slot])),
  strip: (target) => { if (target.slot === undefined) jumpTo(target.frame); else hold(target); },
  matrix: (target) => { if (target.isCoarse) holdPair(target); else hold(target); },
  pair: (target) => hold(target),
  timeline: (target) => { const cell = stepCell(target); if (cell) hold({ side: target.side, cell }); else jumpTo(target.frame); },
  curve: (target) => jumpTo(target.frame),
};

const jumpTo = (frame) => {
  play(false);
  jump(frame);
  readOut();
};

// Hold a cell or a slot: the views stay with it until Escape.
const hold = (target) => {
  if (target.cell && target.cell.some((index) => index < 0)) return;
  play(false);
  Object.assign(state, { lock: target, pair: null, side: target.side });
  jump(target.cell ? target.cell[2] : target.frame);
  readOut();
  if (!target.cell) return;
  const [t1, k1, t2, k2] = target.cell;
  host.trigger('cell', { run_id: state.model.value.run_id, clip: target.side, t1, k1, t2, k2, value: correlation(clips()[target.side], target.cell) });
};

// Where the cells of the large matrix are too small to aim at, a press takes the two frames.
const holdPair = ({ side, cell }) => {
  play(false);
  Object.assign(state, { lock: null, hover: null, pair: { side, frames: [cell[0], cell[2]] }, side });
  jump(cell[2]);
  find('.si-readout').textContent = 'Frames ' + cell[0] + ' and ' + cell[2] + ': choose two slots in the small matrix.';
};

const release = () => {
  Object.assign(state, { lock: null, hover: null, pair: null, cursor: null });
  if (state.solo !== null) soloSlot(state.solo); else paint();
  readOut();
  tell();
};

const point = (target) => {
  if (JSON.stringify(target) === JSON.stringify(state.hover)) {
    paintTip();
    return;
  }
  state.hover = target;
  paint();
};

const targetOf = (event) => {
  const plot = event.target.closest('.si-plot');
  if (!plot || !AIMS[plot.dataset.plot] || !state.model || state.previews) return null;
  const place = placeIn(plot, event);
  return place && AIMS[plot.dataset.plot](plot, place);
};

const choose = (name, after) => (value) => {
  state[name] = value;
  press('[data-do="' + name + '"]', value);
  after();
};

const ACTIONS = {
  play: () => play(!state.playing),
  previous: () => step(-1),
  next: () => step(1),
  speed: cycleSpeed,
  loop: (_, button) => { state.loops = !state.loops; button.setAttribute('aria-pressed', String(state.loops)); },
  help: () => showHelp(find('.si-help').hidden),
  all: showAllSlots,
  slot: (key) => toggleSlot(key),
  style: choose('style', paint),
  view: choose('view', paint),
  order: choose('order', () => { buildMatrices(); paint(); }),
  matching: choose('matching', () => { buildMatrices(); paint(); }),
  side: (value) => { Object.assign(state, { side: Number(value), lock: null, pair: null }); paint(); readOut(); tell(); },
  open: (value) => jumpTo(shownPair().frames[Number(value)]),
  pin: () => host.trigger('pin', { run_id: state.model.value.run_id }),
};

const INPUTS = {
  'si-frame': (value) => { play(false); jump(value); },
  'si-opacity': (value) => showOverlay(value / 100),
  'si-wipe': (value) => { state.wipe = value / 100; paint(); },
  'si-step': (value) => showStep(value),
};

const wipeTo = (event) => {
  const plot = event.target.closest('.si-plot[data-plot="both"]');
  const place = plot && state.view === 'wipe' && placeIn(plot, event);
  if (!place) return;
  state.wipe = place.x;
  find('.si-wipe').value = Math.round(100 * place.x);
  paint();
};

const listen = () => {
  const on = (name, action) => root.addEventListener(name, guarded(action));
  on('click', (event) => {
    const button = event.target.closest('[data-do]');
    if (button) { ACTIONS[button.dataset.do](button.dataset.value, button); return; }
    const item = event.target.closest('td');
    const target = item ? item.target : targetOf(event);
    if (item && target) hold(target);
    else if (target) TAKES[event.target.closest('.si-plot').dataset.plot](target);
  });
  on('dblclick', (event) => { const chip = event.target.closest('.si-chip'); if (chip) soloSlot(chip.dataset.value); });
  on('pointermove', (event) => {
    if (event.buttons && event.target.closest('[data-plot="both"]')) wipeTo(event);
    if (event.pointerType === 'touch') return;
    state.pointer = { x: event.clientX, y: event.clientY };
    point(targetOf(event));
  });
  on('pointerdown', wipeTo);
  on('pointerleave', () => point(null));
  on('input', (event) => { const found = Object.keys(INPUTS).find((name) => event.target.classList.contains(name)); if (found) INPUTS[found](Number(event.target.value)); });
  on('change', (event) => { if (event.target.matches('.si-table-view')) paintTable(); if (event.target.matches('.si-frame')) readOut(); });
  on('keydown', onKey);
  on('focusout', (event) => { if (event.target.matches('[role="application"]')) { state.cursor = null; point(null); } });
  root.addEventListener('toggle', guarded(() => { if (state.model) paintTable(); }), true);
  root.addEventListener('slot-inspector-go', guarded((event) => go(event.detail || {})));
};

// Puts the inspector into a state from outside: a shared link, a caption of the explanation.
const go = ({ frame, cell, side = 0, slot, view, order, matching }) => {
  if (!state.model) return;
  play(false);
  if (cell === null) release(); // of a slot alone too, so before one is chosen
  if (['side', 'wipe', 'difference'].includes(view) && clips().length > 1) ACTIONS.view(view);
  if (['frame', 'slot'].includes(order)) ACTIONS.order(order);
  if (['raw', 'matched'].includes(matching)) ACTIONS.matching(matching);
  if (slot !== undefined) { state.solo = heldKeys()[slot] || null; slotsChanged(); } // counts the objects that are there
  const wanted = cell === 'object' ? objectCell() : cell;
  if (isCell(side, wanted)) hold({ side, cell: wanted });
  if (frame === 'start') jump(state.model.value.start.frame);
  if (Number.isFinite(frame)) jump(frame);
  readOut();
};

// A cell that every result has: the first object of clip A, where the result opens.
const objectCell = () => {
  const object = clips()[0].slots.findIndex((slot) => !slot.is_background && slot.is_present);
  const second = Math.max(1, state.model.value.start.frame);
  return [second - 1, object, second, object];
};

const isCell = (side, cell) => {
  const clip = clips()[side];
  return Boolean(clip) && Array.isArray(cell) && cell.length === 4 && cell.every((index, place) => Number.isInteger(index) && index >= 0 && index < (place % 2 ? clip.numSlots : numFrames()));
};
