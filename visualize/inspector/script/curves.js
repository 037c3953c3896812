// Flicker and area of each slot and motion of the clip, over time; A is dashed where two share axes.
const HIGH = 100; // of a drawing, in its own units

const CURVES = {
  flicker: (clip) => clip.slots.map((slot, index) => ({ slot, values: clip.flicker.map((row) => row[index]) })),
  area: (clip) => clip.slots.map((slot, index) => ({
    slot, values: clip.flicker.map((_, frame) => clip.masks.area[frame * clip.numSlots + index]),
  })),
  motion: (clip) => [{ slot: null, values: clip.motion }],
};
const CURVE_DIGITS = { flicker: 3, area: 3, motion: 2 };

const pathOf = (values, highest) => {
  let path = '';
  let isDown = false;
  values.forEach((value, frame) => {
    if (value === null || value === undefined) { isDown = false; return; }
    path += (isDown ? 'L' : 'M') + (frame + 0.5) + ' ' + (HIGH - 3 - (value / highest) * (HIGH - 8)).toFixed(2);
    if (!isDown && (values[frame + 1] === null || values[frame + 1] === undefined)) path += 'h.05';
    isDown = true;
  });
  return path;
};

const shownCurves = (kind) => clips().flatMap((clip, side) => CURVES[kind](clip)
  .map((curve) => ({ ...curve, side, values: curve.values.slice(0, numFrames()) }))
  .filter((curve) => !curve.slot || (isVisible(curve.slot) && curve.slot.is_present)));

const highestOf = (curves) => Math.max(1e-6, ...curves.flatMap((curve) => curve.values).filter((value) => value !== null && value !== undefined));

const buildCurve = (plot) => {
  const kind = plot.dataset.curve;
  const curves = shownCurves(kind);
  const highest = highestOf(curves);
  const svg = plot.querySelector('.si-drawing');
  svg.setAttribute('viewBox', '0 0 ' + numFrames() + ' ' + HIGH);
  svg.replaceChildren(...curves.flatMap((curve) => strokesOf(curve, highest)));
  svg.setAttribute('aria-label', capital(kind) + ' over time, highest value ' + highest.toFixed(CURVE_DIGITS[kind]) + '. The table has the numbers.');
  label(plot, [{ at: 0.05, text: kind === 'area' ? Math.round(100 * highest) + '%' : highest.toFixed(CURVE_DIGITS[kind] - 1) }, { at: 0.95, text: '0' }], frameTicks(numFrames()));
};

const strokesOf = (curve, highest) => {
  const isDashed = clips().length > 1 && curve.side === 0;
  const path = shape('path', { d: pathOf(curve.values, highest), class: 'si-curve' + (isDashed ? ' si-dashed' : '') + (curve.slot ? '' : ' si-plain') });
  path.dataset.side = curve.side;
  path.dataset.key = curve.slot ? keyOf(curve.slot) : '';
  if (!curve.slot) return [path];
  path.style.stroke = curve.slot.colour;
  if (!curve.slot.lap) return [path];
  const dots = shape('path', { d: pathOf(curve.values, highest).replace(/L/g, 'M').replace(/(M[^Mh]+)(h.05)?/g, '$1h.001'), class: 'si-curve si-dots' });
  dots.dataset.key = path.dataset.key;
  dots.style.stroke = curve.slot.colour;
  return [path, dots];
};

const buildCurves = () => plotsOf('curve').forEach(buildCurve);

const paintCurves = () => {
  const target = aimed();
  const key = target && target.slot !== undefined && !target.cell ? keyOf(clips()[target.side].slots[target.slot]) : null;
  for (const plot of plotsOf('curve')) {
    mark(plot, numFrames(), HIGH, [{ kind: 'line', x: state.frame + 0.5, y: 0, width: 0.0001, height: HIGH }]);
    const paths = [...plot.querySelectorAll('.si-curve')];
    const isFound = paths.some((path) => path.dataset.key === key);
    for (const path of paths) path.classList.toggle('si-faint', isFound && path.dataset.key !== key);
  }
};

const aimCurve = (plot, { x, y }) => {
  const kind = plot.dataset.curve;
  const frame = Math.floor(x * numFrames());
  const curves = shownCurves(kind);
  const highest = highestOf(curves);
  const wanted = ((HIGH - 3 - y * HIGH) / (HIGH - 8)) * highest;
  const near = curves.filter((curve) => typeof curve.values[frame] === 'number')
    .sort((one, other) => Math.abs(one.values[frame] - wanted) - Math.abs(other.values[frame] - wanted))[0];
  if (!near) return { side: 0, frame, words: 'Frame ' + frame + ': no value.' };
  const value = kind === 'area' ? percent(near.values[frame]) : near.values[frame].toFixed(CURVE_DIGITS[kind]);
  const holder = (clips().length > 1 ? letter(near.side) + ': ' : '') + (near.slot ? near.slot.label + ', ' : '');
  const slot = near.slot ? clips()[near.side].slots.indexOf(near.slot) : undefined;
  return { side: near.side, frame, slot, words: holder + kind + ' ' + value + ' in frame ' + frame + '.' };
};
