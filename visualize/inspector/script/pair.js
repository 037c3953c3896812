// Two frames of one clip: their slots against each other, and the frames with both slots outlined.
const shownPair = () => {
  const cell = aimedCell();
  const target = state.hover && state.hover.cell ? state.hover : state.lock;
  if (cell) return { side: target.side, frames: [cell[0], cell[2]], cell };
  if (state.pair) return { ...state.pair, cell: null };
  const side = Math.min(state.side, clips().length - 1);
  const last = clamp(state.frame, 0, clips()[side].numFrames - 1);
  return { side, frames: last ? [last - 1, last] : [0, Math.min(1, clips()[side].numFrames - 1)], cell: null };
};

const pairCell = (clip, [t1, t2], row, column) => [
  t1, rawSlot(clip, t1, row, state.matching), t2, rawSlot(clip, t2, column, state.matching),
];

const pairCodes = (clip, frames) => {
  const { numSlots } = clip;
  return Uint8Array.from({ length: numSlots ** 2 }, (_, place) => {
    const value = correlation(clip, pairCell(clip, frames, Math.floor(place / numSlots), place % numSlots));
    return value === null ? UNDEFINED : Math.round((value + 1) * 127);
  });
};

const paintPair = () => {
  const { side, frames, cell } = shownPair();
  const clip = clips()[side];
  const plot = plotsOf('pair')[0];
  plot.dataset.side = side;
  const wanted = [side, frames, state.matching, state.model.load].join();
  if (plot.dataset.drawn !== wanted) buildPair(plot, clip, frames);
  plot.dataset.drawn = wanted;
  markPair(plot, clip);
  press('.si-sides button', side);
  write(find('.si-pair-words'), (clips().length > 1 ? letter(side) + ', frames ' : 'Frames ') + frames[0] + ' (rows), ' + frames[1] + ' (columns)');
  frames.forEach((frame, index) => paintOne(clip, side, frame, index, cell));
  write(find('.si-pair-sentence'), cell ? cellWords(side, cell) : 'Two frames, slot by slot.');
  write(find('.si-pair-facts'), cell ? factsOf(clip, cell) : 'Press a cell of a matrix to hold it: both slots are then outlined here.');
};

const buildPair = (plot, clip, frames) => {
  const canvas = plot.querySelector('canvas');
  const codes = pairCodes(clip, frames);
  drawCodes(canvas, codes, clip.numSlots, 1);
  writeValues(canvas.getContext('2d'), codes, clip.numSlots);
  label(plot, slotTicks(clip), slotTicks(clip));
  plot.setAttribute('aria-label', 'Correlation of the slots of frame ' + frames[0] + ' with those of frame ' + frames[1] + ' of ' + clip.name + '. Arrows move, Enter holds a cell.');
};

const writeValues = (context, codes, side) => {
  const cell = context.canvas.width / side;
  if (side > 9) return;
  context.font = '500 ' + Math.round(clamp(cell * 0.24, 20, 38)) + 'px ui-sans-serif, system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  codes.forEach((code, place) => {
    if (code === UNDEFINED) return;
    const { colours } = state.model;
    context.fillStyle = luminance([0, 1, 2].map((channel) => colours[3 * code + channel])) > 0.2 ? '#14161c' : '#ffffff';
    context.fillText(signed(code / 127 - 1, 2), ((place % side) + 0.5) * cell, (Math.floor(place / side) + 0.5) * cell);
  });
};

const markPair = (plot, clip) => {
  const wanted = [['lock', state.lock], ['hover', state.hover]].filter(([, target]) => target && target.cell && target.side === Number(plot.dataset.side)).flatMap(([kind, target]) => {
    const [t1, k1, t2, k2] = target.cell;
    const [y, x] = [shownSlot(clip, t1, k1, state.matching), shownSlot(clip, t2, k2, state.matching)];
    const { frames } = shownPair();
    return x < 0 || y < 0 || frames[0] !== t1 || frames[1] !== t2 ? [] : [{ kind, x, y, width: 1, height: 1 }];
  });
  mark(plot, clip.numSlots, clip.numSlots, wanted);
};

const paintOne = (clip, side, frame, index, cell) => {
  const button = all('.si-two button')[index];
  const canvas = button.querySelector('canvas');
  fit(canvas, clip.sheet);
  const context = canvas.getContext('2d');
  drawCell(context, clip.sheet, frame, canvas.width, canvas.height);
  const slot = cell ? cell[2 * index + 1] : -1;
  if (slot >= 0) strokeContour(context, clip.masks, frame, slot, clip.slots[slot], 6);
  const words = 'frame ' + frame + (slot >= 0 ? ', ' + slotName(clip, slot) : '');
  write(button.querySelector('span'), words);
  canvas.setAttribute('aria-label', letter(side) + ', ' + words);
};

const factsOf = (clip, [t1, k1, t2, k2]) => {
  if (k1 < 0 || k2 < 0) return 'No slot continues this object here.';
  const { area, centre, slots } = clip.masks;
  const [first, second] = [t1 * slots + k1, t2 * slots + k2];
  const areas = 'Area ' + percent(area[first]) + ' and ' + percent(area[second]) + '.';
  if (!area[first] || !area[second]) return areas;
  const across = (centre[2 * second] - centre[2 * first]) * clip.sheet.width;
  const down = (centre[2 * second + 1] - centre[2 * first + 1]) * clip.sheet.height;
  const pixels = Math.hypot(across, down).toFixed(1) + ' pixels';
  return areas + (objectOf(clip, t1, k1) === objectOf(clip, t2, k2) ? ' Moved by ' + pixels + '.' : ' ' + pixels + ' apart.');
};

const aimPair = (_, { x, y }) => {
  const { side, frames } = shownPair();
  const clip = clips()[side];
  return { side, cell: pairCell(clip, frames, Math.floor(y * clip.numSlots), Math.floor(x * clip.numSlots)) };
};
