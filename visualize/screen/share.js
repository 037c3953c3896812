// The page's address follows the view: run, frame and pinned cell, and settings that refill the form.
const button = element.querySelector('.share button');
const said = element.querySelector('.share span');
const FIELDS = { prompt: 'prompt', seed: 'seed', 'num inference steps': 'steps', 'guidance scale': 'guidance' };

// The inspector tells where it is; what was drawn stands in its notes, under names of its own.
const settings = (inspector) => Object.fromEntries(
  [...inspector.querySelectorAll('.si-settings div')].map((pair) => [pair.querySelector('dt').textContent, pair.querySelector('dd').textContent]),
);

const write = (inspector, { run_id: run, frame, cell, side }) => {
  if (!run) return;
  const query = new URLSearchParams({ run, t: String(frame) });
  if (cell) query.set('cell', cell.join('.'));
  if (side) query.set('side', 'b'); // older links have no side, and mean clip A
  const drawn = settings(inspector);
  for (const [name, key] of Object.entries(FIELDS)) if (name in drawn) query.set(key, drawn[name]);
  history.replaceState(null, '', location.pathname + '?' + query);
  said.textContent = '';
};

document.addEventListener('slot-inspector-state', (event) => {
  const inspector = event.target.closest('#compare-inspector .si');
  if (inspector) write(inspector, event.detail);
});

// Another result has arrived. A blind one has no address: it would lead to the names. Not the first one: the server has yet to read the address that led here.
new MutationObserver((changes) => {
  for (const { target, oldValue } of changes) {
    const inspector = target.closest('#compare-inspector .si');
    if (!inspector || oldValue === '0' || inspector.dataset.phase !== 'done') continue;
    if (inspector.dataset.blind === 'true') history.replaceState(null, '', location.pathname);
    write(inspector, { run_id: inspector.dataset.run, frame: Number(inspector.dataset.frame) });
  }
}).observe(document.body, { subtree: true, attributeFilter: ['data-delivery'], attributeOldValue: true });

button.addEventListener('click', async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    said.textContent = 'Copied.';
  } catch (error) {
    said.textContent = location.href;
  }
});
