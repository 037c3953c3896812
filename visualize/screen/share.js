// The page's address follows the view: run, frame and pinned cell, and settings that refill the form.
const button = element.querySelector('.share button');
const said = element.querySelector('.share span');
const FIELDS = { prompt: 'prompt', seed: 'seed', 'num inference steps': 'steps', 'guidance scale': 'guidance' };

const address = ({ run_id: run, frame, cell, settings }) => {
  const query = new URLSearchParams({ run, t: String(frame) });
  if (cell) query.set('cell', cell.join('.'));
  for (const [name, key] of Object.entries(FIELDS)) if (settings && settings[name]) query.set(key, settings[name]);
  return location.pathname + '?' + query;
};

document.addEventListener('slot-inspector-state', (event) => {
  const inside = event.target.closest('#compare-inspector');
  if (inside && event.detail.run_id) history.replaceState(null, '', address(event.detail));
});

button.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    said.textContent = 'Copied.';
  } catch (error) {
    said.textContent = location.href;
  }
});
