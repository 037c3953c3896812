// A value arrives: empty, running, done, or the last result back.
const showMessage = (message, phase) => {
  find('.si-body').hidden = true;
  write(find('.si-empty'), message);
  setPhase(phase);
};

const setPhase = (phase) => {
  state.phase = phase;
  root.dataset.phase = phase;
};

const arrived = (value, load) => {
  state.applied = load;
  root.dataset.delivery = value.delivery;
};

const showEmpty = (value, load) => {
  play(false);
  Object.assign(state, { previews: null, advice: value.message });
  root.dataset.preview = 'none';
  showMessage(value.message, 'empty');
  arrived(value, load);
};

// The old result stays, dimmed, while the new one is on its way.
const showRunning = async (value, load) => {
  if (value.run_id && value.run_id === state.dropped) return; // a step of a job that was cancelled
  state.job = value.run_id;
  setPhase('running');
  play(false);
  if (!value.previews.length) {
    arrived(value, load);
    return;
  }
  const previews = await Promise.all(value.previews.map(decodeSheet));
  if (load < state.applied || (value.run_id && value.run_id === state.dropped)) return;
  state.previews = previews;
  find('.si-empty').hidden = true;
  find('.si-body').hidden = false;
  state.frame = clamp(state.frame, 0, numFrames() - 1);
  find('.si-frame').max = numFrames() - 1;
  root.dataset.preview = value.delivery;
  root.dataset.count = Math.max(previews.length, clips().length);
  paint();
  arrived(value, load);
};

const showDone = async (value, load) => {
  const model = await decodeModel(value);
  const isLate = load < state.applied;
  if (state.model && state.model.load > load) return;
  if (isLate && state.phase !== 'running' && !state.isOwed) return;
  if (!isLate && isShown(value)) {
    add(Object.assign(model, { load }));
    arrived(value, load);
    return;
  }
  install(Object.assign(model, { load }));
  if (isLate && state.phase === 'running') return;
  reveal();
  if (!isLate) arrived(value, load);
  play(value.plays && !calm.matches);
};

// More of the run that is on the screen, such as its denoising steps: nobody's place is lost.
const isShown = (value) => state.phase === 'done' && state.model !== null && value.run_id !== '' && state.model.value.run_id === value.run_id;

const add = (model) => {
  state.model = model;
  writeTexts({ ...model.value, start: { ...model.value.start, reason: '' } }); // nothing is opened anew
  buildSteps();
  paint();
};

// Nothing to restore yet: a result that is still being decoded is then shown after all.
const showLast = (value, load) => {
  state.dropped = state.job;
  if (state.model) reveal();
  else showMessage(state.advice || value.message, 'empty');
  state.isOwed = !state.model;
  arrived(value, load);
};

const reveal = () => {
  Object.assign(state, { previews: null, isOwed: false });
  root.dataset.preview = 'none';
  root.dataset.count = clips().length;
  find('.si-empty').hidden = true;
  find('.si-body').hidden = false;
  find('.si-frame').max = numFrames() - 1;
  state.frame = clamp(state.frame, 0, numFrames() - 1);
  setPhase('done');
  paint();
  readOut();
};

const install = (model) => {
  const { value } = model;
  const { start } = value;
  Object.assign(state, { model, step: null, hover: null, lock: null, pair: null, cursor: null, solo: null, side: 0, frame: clamp(start.frame, 0, model.numFrames - 1) });
  state.hidden = new Set(backgroundKeys());
  if (clips().length < 2) { state.view = 'side'; press('[data-do="view"]', 'side'); }
  const side = clips()[start.side] ? start.side : 0; // values from before links had a side open on A
  state.side = side;
  if (isCell(side, start.cell)) state.lock = { side, cell: start.cell };
  Object.assign(root.dataset, { run: value.run_id, sources: JSON.stringify(value.sources || []), blind: String(Boolean(value.is_blind)) });
  writeTexts(value);
  buildChips();
  buildVerdict(value);
  buildSteps();
  build();
};

const writeTexts = (value) => {
  write(find('.si-badge'), value.badge);
  write(find('.si-caption'), value.caption);
  write(find('.si-warning'), value.warning);
  write(find('.si-reason'), value.start.reason);
  find('.si-head').hidden = !value.badge && !value.caption;
  find('.si-pin').hidden = !host.canPin || !value.run_id;
  writeClips();
  find('.si-notes').replaceChildren(...value.notes.map((text) => node('li', text)));
  find('.si-settings').replaceChildren(...Object.entries(value.settings).map(([name, text]) => {
    const pair = node('div');
    pair.append(node('dt', name), node('dd', text));
    return pair;
  }));
  find('.si-facts').hidden = !value.notes.length && !Object.keys(value.settings).length;
};

const writeClips = () => {
  const isPair = clips().length > 1;
  all('.si-chart[data-side]').forEach((figure) => { figure.hidden = Number(figure.dataset.side) >= clips().length; });
  all('.si-player').forEach((figure, side) => {
    const clip = clips()[side];
    figure.querySelector('.si-letter').hidden = !isPair;
    figure.querySelector('.si-name').textContent = clip ? clip.name : '';
    figure.querySelector('.si-what').textContent = clip ? clip.what : '';
  });
  clips().forEach((clip, side) => all('.si-pairs .si-chart[data-side="' + side + '"] figcaption, .si-matrices .si-chart[data-side="' + side + '"] figcaption').forEach((caption) => { caption.textContent = titleOf(side) + (caption.closest('.si-pairs') ? ', masks: ' + clip.mask_source : ''); }));
  find('.si-views').hidden = !isPair;
  find('.si-sides').hidden = !isPair;
  find('.si-dashes').textContent = isPair ? 'A is dashed, B solid.' : '';
};

const PHASES = { empty: showEmpty, running: showRunning, done: showDone, restore: showLast };

const load = () => {
  const value = host.value();
  if (!value || !PHASES[value.phase]) return;
  state.loads += 1;
  const given = state.loads;
  Promise.resolve()
    .then(() => PHASES[value.phase](JSON.parse(JSON.stringify(value)), given))
    .catch(fail);
};

try {
  listen();
  host.watch(load);
  load();
} catch (error) {
  fail(error);
}
