// One clock for every view: which frame is on screen, and when the next one is due.
const rate = () => Math.min(clips().length ? clips()[0].fps : 8, 30) * state.speed;

const jump = (frame) => {
  state.frame = clamp(Math.floor(frame), 0, numFrames() - 1);
  paint();
  followStrips();
  tell();
};

const step = (by) => {
  play(false);
  const count = numFrames();
  jump(state.loops && Math.abs(by) === 1 ? (state.frame + by + count) % count : state.frame + by);
  readOut();
};

const tick = guarded((now) => {
  if (!state.playing) return;
  if (!root.isConnected || document.hidden) { play(false); return; }
  const due = Math.floor(((now - state.since) / 1000) * rate());
  if (!state.loops && due >= numFrames()) { play(false); return; }
  if (due % numFrames() !== state.frame) jump(due % numFrames());
  requestAnimationFrame(tick);
});

const play = (wanted) => {
  const was = state.playing;
  state.playing = wanted;
  if (wanted && !was && !state.loops && state.frame === numFrames() - 1) state.frame = 0;
  state.since = performance.now() - ((state.frame + 0.01) / rate()) * 1000;
  find('.si-play').setAttribute('aria-pressed', String(wanted));
  find('.si-play').setAttribute('aria-label', wanted ? 'Pause' : 'Play');
  if (wanted && !was) requestAnimationFrame(tick);
  if (was && !wanted) readOut();
};

const cycleSpeed = () => {
  state.speed = SPEEDS[(SPEEDS.indexOf(state.speed) + 1) % SPEEDS.length];
  const words = { 0.25: '\u00bcx', 0.5: '\u00bdx' }[state.speed] || state.speed + 'x';
  find('.si-speed').textContent = words;
  find('.si-speed').setAttribute('aria-label', 'Speed, ' + state.speed + ' times');
  if (state.playing) play(true);
};

// The page around may keep its address in step; not while it plays.
let telling = 0;
const tell = () => {
  if (!host.state) return;
  clearTimeout(telling);
  telling = setTimeout(() => {
    if (state.model && root.isConnected) host.state({ run_id: state.model.value.run_id, frame: state.frame, cell: state.lock ? state.lock.cell || null : null, side: state.side });
  }, 250);
};
