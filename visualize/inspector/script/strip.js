// The film strip: the clip in one row, then one row a slot.
const THUMB = 36; // pixels of the longer side of a cell

const buildStrip = (side) => {
  const clip = clips()[side];
  const plot = plotOf('strip', side);
  const canvas = plot.querySelector('canvas');
  const scale = THUMB / Math.max(clip.sheet.width, clip.sheet.height);
  const [width, height] = [Math.round(clip.sheet.width * scale), Math.round(clip.sheet.height * scale)];
  Object.assign(canvas, { width: clip.numFrames * width, height: (clip.numSlots + 1) * height });
  const context = canvas.getContext('2d');
  for (let frame = 0; frame < clip.numFrames; frame += 1) {
    for (let row = 0; row <= clip.numSlots; row += 1) {
      context.setTransform(1, 0, 0, 1, frame * width, row * height);
      drawThumb(context, clip, frame, row - 1, width - 1, height - 1);
    }
  }
  context.setTransform(1, 0, 0, 1, 0, 0);
  plot.style.minWidth = clip.numFrames * 15 + 28 + 'px';
  plot.style.maxWidth = clip.numFrames * 52 + 'px';
  canvas.setAttribute('aria-label', 'Film strip of ' + clip.name + ': ' + clip.numSlots + ' slots over ' + clip.numFrames + ' frames');
  const rows = clip.numSlots + 1;
  const marks = clip.slots.map((slot, index) => ({ at: (index + 1.5) / rows, text: slot.mark, slot }));
  label(plot, marks, frameTicks(clip.numFrames));
};

const drawThumb = (context, clip, frame, slot, width, height) => {
  if (slot < 0) {
    drawCell(context, clip.sheet, frame, width, height);
    return;
  }
  context.fillStyle = 'rgba(128, 132, 148, 0.14)';
  context.fillRect(0, 0, width, height);
  context.imageSmoothingEnabled = true;
  context.drawImage(tintOf(clip, clip.masks, frame, slot), 0, 0, width, height);
};

const paintStrips = () => {
  clips().forEach((clip, side) => {
    const rows = clip.numSlots + 1;
    const wanted = [{ kind: 'head', x: state.frame, y: 0, width: 1, height: rows }];
    for (const [kind, target] of [['lock', state.lock], ['hover', state.hover]]) {
      if (target && target.side === side) wanted.push(...stripMarks(kind, target));
    }
    mark(plotOf('strip', side), clip.numFrames, rows, wanted);
  });
};

// Where the strip is wider than its box, the box follows the playhead.
const followStrips = () => {
  for (const plot of plotsOf('strip')) {
    const box = plot.parentElement;
    if (box.scrollWidth > box.clientWidth) box.scrollLeft = ((state.frame + 0.5) / numFrames()) * box.scrollWidth - box.clientWidth / 2;
  }
};

const stripMarks = (kind, target) => {
  const cells = target.cell ? [target.cell.slice(0, 2), target.cell.slice(2)] : target.frame === undefined ? [] : [[target.frame, target.slot]];
  return cells.map(([frame, slot]) => ({ kind, x: frame, y: slot === undefined ? 0 : slot + 1, width: 1, height: 1 }));
};

const aimStrip = (side, { x, y }) => {
  const clip = clips()[side];
  const row = Math.floor(y * (clip.numSlots + 1)) - 1;
  const frame = Math.floor(x * clip.numFrames);
  return row < 0 ? { side, frame } : { side, frame, slot: row };
};
