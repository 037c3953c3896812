// Which slot holds which object in each frame.
const RIBBON = 0.74; // height of a row whose object looks as it did at first

const switchesOf = (clip) => {
  const found = [];
  const held = clip.assignment[0].map((_, object) => holderOf(clip, 0, object));
  for (let frame = 1; frame < clip.numFrames; frame += 1) {
    held.forEach((before, object) => {
      const now = holderOf(clip, frame, object);
      if (now >= 0 && before >= 0 && now !== before) found.push({ frame, object, slot: now });
      if (now >= 0) held[object] = now;
    });
  }
  return found;
};

// Where the object was held last before a frame; null where never.
const heldBefore = (clip, frame, object) => {
  for (let earlier = frame - 1; earlier >= 0; earlier -= 1) {
    const slot = holderOf(clip, earlier, object);
    if (slot >= 0) return [earlier, slot];
  }
  return null;
};

const likenessOf = (clip, frame, object) => {
  const first = clip.assignment.findIndex((_, each) => holderOf(clip, each, object) >= 0);
  return correlation(clip, [first, holderOf(clip, first, object), frame, holderOf(clip, frame, object)]);
};

const stripesOf = (slot, id) => {
  const pattern = shape('pattern', { id, width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45) scale(.02)' });
  pattern.append(shape('rect', { width: 6, height: 6, fill: slot.colour }), shape('rect', { width: 2, height: 6, fill: '#ffffff' }));
  return pattern;
};

const buildTimeline = (side) => {
  const clip = clips()[side];
  const plot = plotOf('timeline', side);
  const svg = plot.querySelector('.si-drawing');
  svg.setAttribute('viewBox', '0 0 ' + clip.numFrames + ' ' + clip.numSlots);
  const patterns = shape('defs', {});
  clip.slots.forEach((slot, index) => { if (slot.lap) patterns.append(stripesOf(slot, uid + side + index)); });
  const drawn = clip.assignment[0].flatMap((_, object) => [
    shape('line', { x1: 0, x2: clip.numFrames, y1: object + 0.5, y2: object + 0.5, class: 'si-absent' }), ...ribbonOf(clip, side, object),
  ]);
  const switches = switchesOf(clip);
  const lines = switches.map(({ frame, object }) => shape('line', { x1: frame, x2: frame, y1: object + 0.08, y2: object + 0.92, class: 'si-cut' }));
  svg.replaceChildren(patterns, ...drawn, ...lines);
  svg.setAttribute('aria-label', 'Identity over time of ' + clip.name + ': ' + switchWords(switches.length));
  plot.style.height = clip.numSlots * clamp(Math.round(170 / clip.numSlots), 22, 42) + 'px';
  label(plot, slotTicks(clip), frameTicks(clip.numFrames));
  plot.querySelector('.si-ticks').append(...switches.map((each) => flagOf(clip, each)));
  plot.closest('figure').querySelector('figcaption').textContent = titleOf(side) + ', ' + switchWords(switches.length);
};

const switchWords = (count) => (count === 0 ? 'no switch' : count === 1 ? '1 switch' : count + ' switches');
const titleOf = (side) => (clips().length > 1 ? letter(side) + ' ' : '') + clips()[side].name;

const ribbonOf = (clip, side, object) => {
  const frames = Array.from({ length: clip.numFrames }, (_, frame) => frame).filter((frame) => holderOf(clip, frame, object) >= 0);
  return frames.map((frame) => {
    const slot = holderOf(clip, frame, object);
    const height = RIBBON * clamp(likenessOf(clip, frame, object) || 0, 0.16, 1);
    const fill = clip.slots[slot].lap ? 'url(#' + uid + side + slot + ')' : clip.slots[slot].colour;
    return shape('rect', { x: frame, y: object + 0.5 - height / 2, width: 1.01, height, fill });
  });
};

const flagOf = (clip, { frame, object, slot }) => {
  const flag = node('span', clip.slots[slot].mark, 'si-switch');
  flag.style.left = (100 * frame) / clip.numFrames + '%';
  flag.style.top = (100 * (object + 0.5)) / clip.numSlots + '%';
  return flag;
};

const paintTimelines = () => {
  clips().forEach((clip, side) => {
    const wanted = [{ kind: 'head', x: state.frame, y: 0, width: 1, height: clip.numSlots }];
    const target = state.hover;
    if (target && target.side === side && target.object !== undefined) wanted.push({ kind: 'hover', x: target.frame, y: target.object, width: 1, height: 1 });
    mark(plotOf('timeline', side), clip.numFrames, clip.numSlots, wanted);
  });
};

const aimTimeline = (side, { x, y }) => {
  const clip = clips()[side];
  const [frame, object] = [Math.floor(x * clip.numFrames), Math.floor(y * clip.numSlots)];
  const slot = holderOf(clip, frame, object);
  const name = capital(slotName(clip, object));
  if (slot < 0) return { side, frame, object, words: name + ' of frame 0 is not held in frame ' + frame + '.' };
  const value = likenessOf(clip, frame, object);
  const words = name + ' of frame 0 is held by ' + slotName(clip, slot) + ' in frame ' + frame + ': r = ' + (value === null ? 'undefined' : signed(value, 2)) + ' to its first look.';
  return { side, frame, object, slot, words };
};

// A press on the timeline holds the step from the frame before, which is where a switch is read.
const stepCell = ({ side, frame, object, slot }) => {
  const before = slot === undefined ? null : heldBefore(clips()[side], frame, object);
  return before ? [...before, frame, slot] : null;
};
