// Every slot of every frame against every other: one pixel a cell off screen, then enlarged.
const MATRIX = 640; // pixels of a canvas
const GRID = 'rgba(70, 74, 88, 0.4)';
const STRIPES = 'rgba(120, 124, 138, 0.65)';

const codesOf = (clip, order, matching) => {
  const rows = clip.numFrames * clip.numSlots;
  const places = Int32Array.from({ length: rows }, (_, row) => {
    const [frame, index] = atRow(clip, row, order);
    const slot = rawSlot(clip, frame, index, matching);
    return slot < 0 ? -1 : frame * clip.numSlots + slot;
  });
  const codes = new Uint8Array(rows * rows).fill(UNDEFINED);
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < rows; column += 1) {
      if (places[row] >= 0 && places[column] >= 0) codes[row * rows + column] = clip.codes[places[row] * rows + places[column]];
    }
  }
  return codes;
};

const coloured = (codes, side) => {
  const small = canvasOf(side, side);
  const { colours } = state.model;
  codes.forEach((code, place) => {
    for (let channel = 0; channel < 3; channel += 1) small.image.data[4 * place + channel] = colours[3 * code + channel];
    small.image.data[4 * place + 3] = 255;
  });
  small.context.putImageData(small.image, 0, 0);
  return small.canvas;
};

const hatch = (context, codes, side, cell) => {
  context.save();
  context.beginPath();
  codes.forEach((code, place) => {
    if (code === UNDEFINED) context.rect((place % side) * cell, Math.floor(place / side) * cell, cell, cell);
  });
  context.clip();
  context.strokeStyle = STRIPES;
  context.lineWidth = 1.2;
  context.beginPath();
  for (let at = -side * cell; at < side * cell; at += 7) {
    context.moveTo(at, 0);
    context.lineTo(at + side * cell, side * cell);
  }
  context.stroke();
  context.restore();
};

const drawCodes = (canvas, codes, side, block) => {
  const cell = Math.max(1, Math.round(MATRIX / side));
  Object.assign(canvas, { width: side * cell, height: side * cell });
  const context = canvas.getContext('2d');
  context.imageSmoothingEnabled = false;
  context.drawImage(coloured(codes, side), 0, 0, canvas.width, canvas.height);
  hatch(context, codes, side, cell);
  context.fillStyle = GRID;
  for (let at = block; block * cell >= 6 && at < side; at += block) {
    context.fillRect(at * cell - 0.5, 0, 1, canvas.height);
    context.fillRect(0, at * cell - 0.5, canvas.width, 1);
  }
};

const buildMatrix = (side) => {
  const clip = clips()[side];
  const plot = plotOf('matrix', side);
  const rows = clip.numFrames * clip.numSlots;
  const isByFrame = state.order === 'frame';
  drawCodes(plot.querySelector('canvas'), codesOf(clip, state.order, state.matching), rows, isByFrame ? clip.numSlots : clip.numFrames);
  const ticks = isByFrame ? frameTicks(clip.numFrames) : matrixSlots(clip);
  label(plot, ticks, ticks);
  plot.setAttribute('aria-label', 'Correlation of all slots of all frames of ' + clip.name + '. Arrows move, Enter holds a cell.');
};

// Matched rows are objects: they have the colour of their first slot.
const matrixSlots = (clip) => slotTicks(clip);

const orderWords = () => {
  const order = state.order === 'frame' ? 'Each block is a pair of frames.' : 'Each block is a pair of slots; orange blocks on the diagonal are objects that stay themselves.';
  return order + (state.matching === 'raw' ? ' Raw numbers show swaps.' : ' Swaps are undone: what is left is change of looks.');
};

const cellRect = (kind, clip, [t1, k1, t2, k2]) => {
  const [first, second] = [shownSlot(clip, t1, k1, state.matching), shownSlot(clip, t2, k2, state.matching)];
  if (first < 0 || second < 0) return [];
  return [{ kind, x: rowOf(clip, t2, second, state.order), y: rowOf(clip, t1, first, state.order), width: 1, height: 1 }];
};

const headRects = (clip) => {
  const rows = clip.numFrames * clip.numSlots;
  if (state.order === 'frame') {
    const at = state.frame * clip.numSlots;
    return [{ kind: 'band', x: 0, y: at, width: rows, height: clip.numSlots }, { kind: 'band', x: at, y: 0, width: clip.numSlots, height: rows }];
  }
  const edge = rows / 50;
  return Array.from({ length: clip.numSlots }, (_, slot) => slot * clip.numFrames + state.frame).flatMap((at) => [
    { kind: 'tick', x: at, y: 0, width: 1, height: edge }, { kind: 'tick', x: 0, y: at, width: edge, height: 1 },
  ]);
};

const paintMatrices = () => {
  clips().forEach((clip, side) => {
    const wanted = headRects(clip);
    for (const [kind, target] of [['lock', state.lock], ['hover', state.hover]]) {
      if (target && target.side === side && target.cell) wanted.push(...cellRect(kind, clip, target.cell));
    }
    if (state.pair && state.pair.side === side && state.order === 'frame') {
      const [t1, t2] = state.pair.frames;
      wanted.push({ kind: 'lock', x: t2 * clip.numSlots, y: t1 * clip.numSlots, width: clip.numSlots, height: clip.numSlots });
    }
    const rows = clip.numFrames * clip.numSlots;
    mark(plotOf('matrix', side), rows, rows, wanted);
  });
};

const cellAt = (side, row, column) => {
  const clip = clips()[side];
  const [t1, first] = atRow(clip, row, state.order);
  const [t2, second] = atRow(clip, column, state.order);
  return [t1, rawSlot(clip, t1, first, state.matching), t2, rawSlot(clip, t2, second, state.matching)];
};

const aimMatrix = (side, { x, y, box }) => {
  const rows = clips()[side].numFrames * clips()[side].numSlots;
  const cell = cellAt(side, Math.floor(y * rows), Math.floor(x * rows));
  return { side, cell, isCoarse: box.width / rows < 4 };
};

const paintLegend = () => {
  const context = find('.si-legend canvas').getContext('2d');
  const image = context.createImageData(255, 1);
  for (let code = 0; code < 255; code += 1) {
    for (let channel = 0; channel < 3; channel += 1) image.data[4 * code + channel] = state.model.colours[3 * code + channel];
    image.data[4 * code + 3] = 255;
  }
  context.putImageData(image, 0, 0);
};
