// Pinned runs, each with its clips: a press puts a clip on a side, beside what is on the other one.
const panel = element.querySelector('.pins');
const SIDES = ['A', 'B'];
const stage = () => document.querySelector('#compare-inspector .si');
const onStage = () => JSON.parse((stage() && stage().dataset.sources) || '[]');

const made = (tag, text, label) => {
  const node = document.createElement(tag);
  node.textContent = text; // a label may be a person's own text
  if (label) node.setAttribute('aria-label', label);
  return node;
};

const pressable = (text, label, action) => {
  const button = made('button', text, label);
  button.type = 'button';
  button.addEventListener('click', action);
  return button;
};

// A source is run/clip; the name of a run has no slash.
const placed = (source) => [source.slice(0, source.indexOf('/')), source.slice(source.indexOf('/') + 1)];

const choose = (source, side) => {
  const other = onStage()[1 - side] || onStage()[0] || source;
  const sources = side ? [other, source] : [source, other];
  trigger('choose', { clips: sources.map(placed) });
};

const clipOf = (run, { key, name, labels }) => {
  const clip = made('span', name);
  clip.className = 'pins-clip';
  const source = run.run_id + '/' + key;
  clip.append(...SIDES.map((letter, side) => {
    const button = pressable(letter, labels[side], () => choose(source, side));
    Object.assign(button.dataset, { source, side });
    return button;
  }));
  return clip;
};

const rowOf = (run) => {
  const row = made('li', '');
  const label = made('span', run.number + '. ' + run.label);
  label.className = 'pins-label';
  label.title = run.label;
  const unpin = pressable('\u00d7', run.unpin, () => trigger('unpin', { run_id: run.run_id }));
  unpin.className = 'pins-off';
  row.append(label, ...run.clips.map((clip) => clipOf(run, clip)), unpin);
  return row;
};

const mark = () => {
  const shown = onStage();
  for (const button of panel.querySelectorAll('[data-source]')) {
    button.setAttribute('aria-pressed', String(shown[Number(button.dataset.side)] === button.dataset.source));
  }
};

const write = () => {
  const { title, hint, runs } = props.value;
  panel.hidden = !runs.length;
  panel.setAttribute('aria-label', title);
  panel.querySelector('b').textContent = title;
  panel.querySelector('p span').textContent = hint;
  panel.querySelector('ul').replaceChildren(...runs.map(rowOf));
  mark();
};

new MutationObserver(mark).observe(document.body, { subtree: true, attributeFilter: ['data-sources'] });
watch('value', write);
write();
