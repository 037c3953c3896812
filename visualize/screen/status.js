const LOST = 'Server unreachable. The clip on screen still works.';
const status = element.querySelector('.status');
const line = status.querySelector('p');
const reload = status.querySelector('a');
let watching = 0;
let job = '';
let dropped = ''; // the last job that has ended, one way or another

const write = () => {
  const value = props.value;
  if (!value || (value.job && value.job === dropped)) return; // a step of a job that was cancelled
  if (!value.job) dropped = job;
  job = value.job;
  status.dataset.tone = value.tone;
  line.textContent = value.text;
  reload.hidden = true;
  status.querySelector('i').style.width = Math.round(100 * (value.share || 0)) + '%';
  follow(value.tone === 'busy');
};

// Gradio says nothing when the server has gone in mid-job, so the line asks by itself.
const ask = async () => {
  try {
    await fetch('.', { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(4000) });
  } catch (error) {
    status.dataset.tone = 'lost';
    line.textContent = LOST;
    reload.hidden = false;
    follow(false);
  }
};

const follow = (isBusy) => {
  if (isBusy && !watching) watching = setInterval(ask, 3000);
  if (!isBusy) { clearInterval(watching); watching = 0; }
};

reload.addEventListener('click', (event) => { event.preventDefault(); location.reload(); });
watch('value', write);
write();
