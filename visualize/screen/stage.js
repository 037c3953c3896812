// One integer, the frame, drives every view. User text reaches the page by textContent alone.
const SVG = 'http://www.w3.org/2000/svg';
const root = element.querySelector('.stage');
const find = (selector) => root.querySelector(selector);
const all = (selector) => [...root.querySelectorAll(selector)];
const state = { shown: null, sheets: [], previews: null, frame: 0, started: 0, playing: false, load: 0 };

const node = (tag, text, className) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
};

const decode = async (sheet) => {
  const image = new Image();
  image.src = sheet.src;
  await image.decode();
  return { ...sheet, image };
};

const cell = (context, sheet, wanted) => {
  const { width, height } = sheet;
  const frame = Math.min(wanted, sheet.num_frames - 1);
  const left = (frame % sheet.columns) * width;
  const top = Math.floor(frame / sheet.columns) * height;
  context.drawImage(sheet.image, left, top, width, height, 0, 0, context.canvas.width, context.canvas.height);
};

const paintPlayer = (player, side) => {
  const clip = state.shown ? state.shown.clips[side] : null;
  const preview = state.previews && state.previews[side];
  const sheets = state.sheets[side];
  if (!preview && !sheets) return;
  const { width, height } = preview || sheets.clip;
  const frame = clip ? Math.min(state.frame, clip.num_frames - 1) : state.frame;
  const scale = Math.max(1, Math.round(320 / Math.max(width, height)));
  for (const kind of ['clip', 'overlay']) {
    const canvas = player.querySelector('canvas.' + kind);
    if (canvas.width !== width * scale) { canvas.width = width * scale; canvas.height = height * scale; }
    const context = canvas.getContext('2d');
    context.imageSmoothingEnabled = false;
    if (kind === 'clip' && preview) cell(context, preview, frame);
    else if (sheets) cell(context, sheets.clip, frame);
    if (kind === 'overlay' && sheets) {
      context.imageSmoothingEnabled = true;
      context.globalAlpha = find('.opacity').value / 100;
      cell(context, sheets.tint, frame);
      context.globalAlpha = 1;
    }
    const words = kind === 'clip' ? '' : ', each slot in its colour';
    canvas.setAttribute('aria-label', (clip ? clip.name : 'preview') + words + ', frame ' + frame);
  }
};

const numFrames = () => (state.shown ? Math.min(...state.shown.clips.map((clip) => clip.num_frames)) : 16);

const paint = () => {
  all('.player').forEach(paintPlayer);
  const last = numFrames() - 1;
  find('.frame').value = state.frame;
  find('.frame-label').textContent = 'frame ' + state.frame + ' of ' + last;
  for (const line of all('svg line')) {
    const place = last ? (state.frame / last) * 100 : 0;
    line.setAttribute('x1', place);
    line.setAttribute('x2', place);
  }
  root.dataset.frame = state.frame;
};

const show = (frame) => {
  state.frame = Math.max(0, Math.min(numFrames() - 1, Math.floor(frame)));
  paint();
};

const tick = (now) => {
  if (!state.playing || !root.isConnected) return;
  const fps = state.shown ? Math.min(state.shown.clips[0].fps, 30) : 8;
  const frame = Math.floor(((now - state.started) / 1000) * fps) % numFrames();
  if (frame !== state.frame) show(frame);
  requestAnimationFrame(tick);
};

const play = (wanted) => {
  const fps = state.shown ? Math.min(state.shown.clips[0].fps, 30) : 8;
  const was = state.playing;
  state.playing = wanted;
  state.started = performance.now() - (state.frame / fps) * 1000;
  const button = find('.play');
  button.textContent = wanted ? 'Pause' : 'Play';
  button.setAttribute('aria-pressed', String(wanted));
  if (wanted && !was) requestAnimationFrame(tick);
};

// A path with a gap wherever a value is undefined.
const line = (values, highest, height) => {
  let path = '';
  let pen = false;
  values.forEach((value, frame) => {
    if (value === null) { pen = false; return; }
    const x = (frame / Math.max(1, values.length - 1)) * 100;
    const y = height - 4 - (value / highest) * (height - 10);
    path += (pen ? 'L' : 'M') + x.toFixed(2) + ' ' + y.toFixed(2);
    if (!pen && values[frame + 1] == null) path += 'h0.6';
    pen = true;
  });
  return path;
};

const draw = (svg, curves, highest, height, words) => {
  svg.replaceChildren();
  svg.setAttribute('viewBox', '0 0 100 ' + height);
  svg.setAttribute('aria-label', words);
  for (const curve of curves) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', line(curve.values, highest, height));
    if (curve.colour) path.style.stroke = curve.colour; else path.setAttribute('class', 'still');
    svg.append(path);
  }
  const head = document.createElementNS(SVG, 'line');
  head.setAttribute('y1', 0);
  head.setAttribute('y2', height);
  svg.append(head);
};

const largest = (clips, pick) => Math.max(1e-6, ...clips.flatMap(pick).filter((value) => value !== null));

const drawCurves = (clips) => {
  const flicker = largest(clips, (clip) => clip.flicker.flat());
  const motion = largest(clips, (clip) => clip.motion);
  const both = clips.length > 1 ? ', one scale for both' : '';
  find('.scale').textContent = 'flicker to ' + flicker.toFixed(3) + ', motion to ' + motion.toFixed(2) + ' pixels' + both;
  clips.forEach((clip, side) => {
    const lines = clip.flicker.map((values, slot) => ({ values, colour: clip.slots[slot].colour }));
    draw(all('svg.curves')[side], lines, flicker, 150, 'Flicker per slot of ' + clip.name + ', highest value shown ' + flicker);
    draw(all('svg.motion')[side], [{ values: clip.motion }], motion, 48, 'Motion of ' + clip.name);
    const captions = all('.columns figure figcaption');
    captions[side].textContent = clip.name;
    captions[2 + side].textContent = clip.name;
  });
};

const fillTable = (value) => {
  const head = node('tr');
  head.append(node('th', ''), ...value.clips.map((clip) => node('th', clip.name)), node('th', 'read it as'));
  find('.figures thead').replaceChildren(head);
  find('.figures tbody').replaceChildren(...value.figures.map((figure) => {
    const row = node('tr');
    row.append(node('th', figure.label), ...figure.values.map((text) => node('td', text)), node('td', figure.better));
    return row;
  }));
};

const write = (selector, text) => {
  find(selector).textContent = text || '';
  find(selector).hidden = !text;
};

const fillPlayers = (value) => {
  root.dataset.count = value.clips.length;
  for (const list of [all('.player'), ...all('.columns').map((columns) => [...columns.children])]) {
    list.forEach((figure, side) => { figure.hidden = side >= value.clips.length; });
  }
  value.clips.forEach((clip, side) => {
    const player = all('.player')[side];
    player.querySelector('.name').textContent = clip.name;
    player.querySelector('.what').textContent = clip.what;
    player.querySelector('.slots').replaceChildren(...clip.slots.map((slot) => {
      const item = node('li', undefined, slot.is_present ? '' : 'absent');
      const chip = node('i');
      chip.style.background = slot.colour;
      item.append(chip, node('span', slot.label + (slot.is_present ? '' : ', empty')));
      return item;
    }));
    const heatmap = all('.heatmap')[side];
    heatmap.src = clip.heatmap;
    heatmap.alt = 'Correlation of all slots of all frames of ' + clip.name;
  });
};

const showDone = async (value) => {
  const load = ++state.load;
  const sheets = await Promise.all(value.clips.map(async (clip) => ({ clip: await decode(clip.clip), tint: await decode(clip.tint) })));
  if (load !== state.load) return;
  Object.assign(state, { shown: value, sheets, previews: null });
  find('.stage-empty').hidden = true;
  find('.stage-body').hidden = false;
  find('.stage-head').hidden = !value.caption && !value.badge;
  find('.badge').textContent = value.badge;
  find('.caption').textContent = value.caption;
  write('.warning', value.warning);
  write('.verdict', value.verdict);
  find('.notes').replaceChildren(...value.notes.map((text) => node('li', text)));
  find('.notes').hidden = !value.notes.length;
  fillPlayers(value);
  fillTable(value);
  drawCurves(value.clips);
  find('.frame').max = numFrames() - 1;
  root.dataset.phase = 'done';
  root.dataset.preview = 'none';
  show(value.start);
  play(value.plays && !matchMedia('(prefers-reduced-motion: reduce)').matches);
  root.dataset.delivery = value.delivery;
};

const showRunning = async (value) => {
  const load = ++state.load;
  root.dataset.phase = 'running';
  if (!value.previews.length) { root.dataset.preview = 'none'; return; }
  const previews = await Promise.all(value.previews.map(decode));
  if (load !== state.load) return;
  state.previews = previews;
  root.dataset.preview = String(value.delivery);
  find('.stage-empty').hidden = true;
  find('.stage-body').hidden = false;
  paint();
};

const showEmpty = (value) => {
  root.dataset.phase = 'empty';
  find('.stage-body').hidden = true;
  find('.stage-empty').hidden = false;
  find('.stage-empty').textContent = value.message;
};

const load = () => {
  const value = props.value;
  if (!value || !value.phase) return;
  const last = state.shown;
  const shown = { done: showDone, running: showRunning, empty: showEmpty }[value.phase];
  const restored = async (each) => { if (last) await showDone({ ...last, plays: false, start: state.frame }); else showEmpty(each); };
  Promise.resolve((shown || restored)(JSON.parse(JSON.stringify(value)))).catch(fail);
};

const fail = (error) => {
  console.error(error);
  showEmpty({ message: 'The view could not be drawn in this browser; reload the page.' });
  root.dataset.phase = 'failed';
};

root.addEventListener('input', (event) => {
  if (event.target.matches('.frame')) { play(false); show(Number(event.target.value)); }
  if (event.target.matches('.opacity')) paint();
});
root.addEventListener('click', (event) => {
  if (event.target.closest('.play')) play(!state.playing);
});
document.addEventListener('visibilitychange', () => { if (document.hidden && root.isConnected) play(false); });
watch('value', load);
try { load(); } catch (error) { fail(error); }
