const { words } = props;
const status = element.querySelector('.status');
const line = status.querySelector('p');
const reload = status.querySelector('a');
const tracker = element.closest('.block').querySelector('[data-testid="status-tracker"]');
let watching = 0;
let job = '';
let dropped = ''; // the last job that has ended, one way or another

const say = (tone, text, share = 0) => {
  status.dataset.tone = tone;
  if (line.textContent !== text) line.textContent = text;
  status.querySelector('i').style.width = Math.round(100 * share) + '%';
  reload.hidden = tone !== 'lost';
  follow(tone === 'busy' || tone === 'waiting');
};

const write = () => {
  const value = props.value;
  if (!value || (value.job && value.job === dropped)) return; // a step of a job that was cancelled
  if (!value.job) dropped = job;
  job = value.job;
  say(value.tone, value.text, value.share || 0);
};

// Gradio alone knows the place in the queue, and tells it beside a running clock; the line says it once.
const queue = () => {
  if (job) return;
  const place = !tracker.classList.contains('hide') && /queue: (\d+)\/(\d+)/.exec(tracker.textContent);
  if (place) say('waiting', words.queued.replace('{place}', place[1]).replace('{count}', place[2]));
  else if (status.dataset.tone === 'waiting') write();
};

// Gradio says nothing when the server has gone in mid-job, so the line asks by itself.
const ask = async () => {
  try {
    await fetch('.', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(4000) });
  } catch (error) {
    say('lost', words.lost);
  }
};

const follow = (isBusy) => {
  if (isBusy && !watching) watching = setInterval(ask, 3000);
  if (!isBusy) { clearInterval(watching); watching = 0; }
};

reload.addEventListener('click', (event) => { event.preventDefault(); location.reload(); });
new MutationObserver(queue).observe(tracker, { subtree: true, childList: true, characterData: true, attributeFilter: ['class'] });
watch('value', write);
write();
