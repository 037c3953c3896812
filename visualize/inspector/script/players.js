// The two clips with their slots over them; also wipe and difference.
const SIDE = 512; // pixels of a canvas; cells of the clip are enlarged by whole numbers
const HELD = 0.005; // of a frame; a slot that holds less has neither number nor line
const LINE = 4.6; // pixels of a canvas: two of a screen where it is shown smallest
const WHITE = { colour: '#ffffff', lap: 0 };
const tints = new Map(); // a small canvas a mask size

const sourceOf = (side) => {
  const preview = state.previews && state.previews[side];
  if (preview) return { sheet: preview, masks: null };
  const clip = clips()[side];
  if (!clip) return null;
  const step = state.step === null ? null : state.model.steps.get(state.step);
  return step && step.sheets ? { sheet: step.sheets[side], masks: step.masks[side] } : { sheet: clip.sheet, masks: clip.masks };
};

const drawCell = (context, sheet, wanted, width, height) => {
  const frame = clamp(wanted, 0, sheet.num_frames - 1);
  const left = (frame % sheet.columns) * sheet.width;
  const top = Math.floor(frame / sheet.columns) * sheet.height;
  context.imageSmoothingEnabled = false;
  context.drawImage(sheet.picture, left, top, sheet.width, sheet.height, 0, 0, width, height);
};

const fit = (canvas, sheet) => {
  const scale = Math.max(1, Math.round(SIDE / Math.max(sheet.width, sheet.height)));
  const [width, height] = [sheet.width * scale, sheet.height * scale];
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
};

const canvasOf = (width, height) => {
  const key = width + 'x' + height;
  if (!tints.has(key)) {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const context = canvas.getContext('2d');
    tints.set(key, { canvas, context, image: context.createImageData(width, height) });
  }
  return tints.get(key);
};

// A colour that comes round again gets stripes, not a new hue.
const patterned = (lap, x, y) => (lap === 0 ? 1 : (lap % 2 ? x + y : x - y + 600) % 6 < 3 ? 1 : 0.3);

// One share of one slot, or each place's winner, as colour and strength at the size of the mask.
const tintOf = (clip, masks, frame, only) => {
  const { width, height, slots, winner, shares } = masks;
  const small = canvasOf(width, height);
  const { data } = small.image;
  const shown = clip.slots.map(isVisible);
  const size = width * height;
  for (let place = 0; place < size; place += 1) {
    const slot = only === null ? winner[frame * size + place] : only;
    const { rgb, lap } = clip.slots[slot];
    const share = shares[(frame * slots + slot) * size + place];
    data[4 * place] = rgb[0];
    data[4 * place + 1] = rgb[1];
    data[4 * place + 2] = rgb[2];
    const stripe = lap ? patterned(lap, place % width, Math.floor(place / width)) : 1;
    data[4 * place + 3] = only !== null || shown[slot] ? share * stripe : 0;
  }
  small.context.putImageData(small.image, 0, 0);
  return small.canvas;
};

// The line where a slot's share is one half, in positions of the mask.
const contourOf = (masks, frame, slot) => {
  const key = frame * masks.slots + slot;
  if (!masks.contours.has(key)) masks.contours.set(key, traced(masks, key * masks.width * masks.height));
  return masks.contours.get(key);
};

const traced = ({ width, height, shares }, start) => {
  const path = new Path2D();
  const at = (x, y) => (x < 0 || y < 0 || x >= width || y >= height ? 0 : shares[start + y * width + x]) - 127.5;
  for (let y = -1; y < height; y += 1) {
    let [b, c] = [-127.5, -127.5]; // the corners right of a square are those left of the next
    for (let x = -1; x < width; x += 1) {
      const [a, d] = [b, c];
      [b, c] = [at(x + 1, y), at(x + 1, y + 1)];
      const inside = (a > 0) + (b > 0) + (c > 0) + (d > 0);
      if (inside && inside < 4) addCrossings(path, x + 0.5, y + 0.5, [a, b, c, d]);
    }
  }
  return path;
};

const addCrossings = (path, x, y, [a, b, c, d]) => {
  const points = [];
  const cut = (from, to) => from / (from - to);
  if (a > 0 !== b > 0) points.push([x + cut(a, b), y]);
  if (b > 0 !== c > 0) points.push([x + 1, y + cut(b, c)]);
  if (c > 0 !== d > 0) points.push([x + cut(d, c), y + 1]);
  if (d > 0 !== a > 0) points.push([x, y + cut(a, d)]);
  for (let index = 0; index + 1 < points.length; index += 2) {
    path.moveTo(...points[index]);
    path.lineTo(...points[index + 1]);
  }
};

// A line with an edge that it stands out from, dark or light, so that one of both is seen on any ground.
const strokeContour = (context, masks, frame, slot, { colour, lap }, width) => {
  const { canvas } = context;
  const scale = canvas.width / masks.width;
  const path = contourOf(masks, clamp(frame, 0, masks.frames - 1), slot);
  const edge = luminance(channels(colour)) > 0.2 ? '#14161c' : '#ffffff';
  context.save();
  context.scale(scale, canvas.height / masks.height);
  context.lineCap = 'round';
  const lines = [[edge, width + 3], [colour, width], [edge, lap ? width / 3 : 0]]; // a colour that comes round again is split
  for (const [stroke, wide] of lines.filter(([, each]) => each)) {
    context.strokeStyle = stroke;
    context.lineWidth = wide / scale;
    context.stroke(path);
  }
  context.restore();
};

// The largest slot comes last, so that no speck at its border breaks its line.
const outlined = (clip, masks, frame, only) => {
  if (only !== null) return [only];
  const areaOf = (slot) => masks.area[frame * masks.slots + slot];
  const seen = clip.slots.flatMap((slot, index) => (isVisible(slot) && areaOf(index) >= HELD ? [index] : []));
  return seen.sort((one, other) => areaOf(one) - areaOf(other));
};

const drawOverlay = (context, side, masks, frame) => {
  const clip = clips()[side];
  const { width, height } = context.canvas;
  const within = clamp(frame, 0, masks.frames - 1);
  const only = state.solo === null ? null : clip.slots.findIndex((slot) => keyOf(slot) === state.solo);
  if (only !== null && only < 0) return;
  if (state.style === 'fill') {
    context.imageSmoothingEnabled = true;
    context.globalAlpha = state.opacity;
    context.drawImage(tintOf(clip, masks, within, only), 0, 0, width, height);
  } else {
    context.globalAlpha = Math.min(1, state.opacity + 0.6);
    for (const slot of outlined(clip, masks, within, only)) strokeContour(context, masks, within, slot, clip.slots[slot], LINE);
  }
  context.globalAlpha = 1;
};

const drawPlayer = (context, side, frame) => {
  const { sheet, masks } = sourceOf(side);
  drawCell(context, sheet, frame, context.canvas.width, context.canvas.height);
  if (!masks || !state.overlay || state.opacity === 0) return;
  drawOverlay(context, side, masks, frame);
  for (const slot of emphasised(side)) strokeContour(context, masks, frame, slot, WHITE, 2.4);
};

const paintPlayer = (figure, side) => {
  const source = sourceOf(side);
  figure.hidden = !source || (state.view !== 'side' && !state.previews);
  if (figure.hidden) return;
  const canvas = figure.querySelector('canvas');
  fit(canvas, source.sheet);
  drawPlayer(canvas.getContext('2d'), side, state.frame);
  const name = clips()[side] && !state.previews ? clips()[side].name : 'Preview';
  canvas.setAttribute('aria-label', letter(side) + ', ' + name + ', frame ' + state.frame);
  paintNumbers(figure.querySelector('.si-numbers'), side, source.masks);
};

// Numbers stand over the canvas, so that its pixels are clip and tint alone.
const paintNumbers = (box, side, masks) => {
  const clip = clips()[side];
  box.hidden = !masks || !state.overlay || state.opacity === 0;
  if (box.hidden) return;
  while (box.children.length < clip.numSlots) box.append(node('span'));
  const frame = clamp(state.frame, 0, masks.frames - 1);
  [...box.children].forEach((label, slot) => {
    const index = frame * masks.slots + slot;
    label.hidden = slot >= clip.numSlots || clip.slots[slot].is_background || !isVisible(clip.slots[slot]) || masks.area[index] < HELD;
    if (label.hidden) return;
    if (label.textContent !== clip.slots[slot].mark) label.textContent = clip.slots[slot].mark;
    label.style.left = 100 * masks.centre[2 * index] + '%';
    label.style.top = 100 * masks.centre[2 * index + 1] + '%';
  });
};

const paintBoth = () => {
  const figure = find('.si-both');
  figure.hidden = state.view === 'side' || clips().length < 2 || Boolean(state.previews);
  if (figure.hidden) return;
  const canvas = figure.querySelector('canvas');
  fit(canvas, sourceOf(0).sheet);
  const isWipe = state.view === 'wipe';
  find('.si-wipe').hidden = !isWipe;
  find('.si-edge').hidden = !isWipe;
  find('.si-edge').style.left = 100 * state.wipe + '%';
  find('.si-both-words').textContent = isWipe ? 'left of the line, right of it' : 'how far the pixels are apart, twice as bright as it is';
  canvas.setAttribute('aria-label', (isWipe ? 'A left and B right of the line' : 'Difference of A and B') + ', frame ' + state.frame);
  (isWipe ? drawWipe : drawDifference)(canvas.getContext('2d'));
};

const drawWipe = (context) => {
  const { width, height } = context.canvas;
  drawPlayer(context, 1, state.frame);
  context.save();
  context.beginPath();
  context.rect(0, 0, width * state.wipe, height);
  context.clip();
  drawPlayer(context, 0, state.frame);
  context.restore();
};

const drawDifference = (context) => {
  const { width, height } = context.canvas;
  drawCell(context, sourceOf(0).sheet, state.frame, width, height);
  context.globalCompositeOperation = 'difference';
  drawCell(context, sourceOf(1).sheet, state.frame, width, height);
  context.globalCompositeOperation = 'lighter';
  context.drawImage(context.canvas, 0, 0);
  context.globalCompositeOperation = 'source-over';
};

const paintPlayers = () => {
  all('.si-player').forEach(paintPlayer);
  paintBoth();
};
