// What is on screen, in sentences.
const cellWords = (side, cell) => {
  const clip = clips()[side];
  const [t1, k1, t2, k2] = cell;
  const holder = clips().length > 1 ? letter(side) + ': ' : '';
  if (k1 < 0 || k2 < 0) return holder + 'No slot continues this object in frame ' + (k1 < 0 ? t1 : t2) + '.';
  const value = correlation(clip, cell);
  const both = capital(slotName(clip, k1)) + ' in frame ' + t1 + ' and ' + slotName(clip, k2) + ' in frame ' + t2 + ': ';
  return holder + both + (value === null ? emptyWords(clip, cell) : 'r = ' + signed(value, 2) + '. ' + meaning(clip, cell, value));
};

const emptyWords = (clip, [t1, k1, t2, k2]) => {
  const [slot, frame] = isPresent(clip, t1, k1) ? [k2, t2] : [k1, t1];
  return 'undefined, ' + slotName(clip, slot) + ' is empty in frame ' + frame + '.';
};

const meaning = (clip, [t1, k1, t2, k2], value) => {
  const [first, second] = [objectOf(clip, t1, k1), objectOf(clip, t2, k2)];
  if (t1 === t2 && k1 === k2) return 'A slot is always like itself.';
  if (first < 0 || second < 0) return 'Nothing was matched here.';
  if (first === second && k1 !== k2) return 'The identity changed.';
  if (first === second) return value < 0.5 ? 'The same object, but it looks different.' : 'The same object in the same slot.';
  if (k1 === k2) return 'The slot now holds another object.';
  return value < 0.5 ? 'Two different objects.' : 'Two objects that look alike.';
};

const frameWords = () => 'Frame ' + state.frame + '. ' + clips().map((clip, side) => {
  const held = clip.slots.filter((slot, index) => !slot.is_background && isPresent(clip, state.frame, index)).length;
  return (clips().length > 1 ? letter(side) + ': ' : '') + held + (held === 1 ? ' object' : ' objects') + ' in view.';
}).join(' ');

const slotWords = ({ side, slot, frame = state.frame }) => {
  const clip = clips()[side];
  const share = clip.masks.area[frame * clip.numSlots + slot];
  const holder = clips().length > 1 ? letter(side) + ': ' : '';
  return holder + capital(slotName(clip, slot)) + ' in frame ' + frame + ', ' + percent(share) + ' of the picture.';
};

const targetWords = (target) => {
  if (target.cell) return cellWords(target.side, target.cell);
  if (target.words) return target.words;
  if (target.slot !== undefined) return slotWords(target);
  return 'Frame ' + target.frame + '.';
};

// Heard by screen readers: only on a press and on a pause, never while the clip plays.
const readOut = () => {
  if (state.playing || !state.model) return;
  const words = state.lock ? targetWords(state.lock) : frameWords();
  const line = find('.si-readout');
  if (line.textContent !== words) line.textContent = words;
};

// Beside the pointer, so that nothing on the page moves while it is read.
const paintTip = () => {
  const tip = find('.si-hovered');
  write(tip, state.hover && state.pointer ? targetWords(state.hover) : '');
  if (tip.hidden) return;
  const box = root.getBoundingClientRect();
  const { x, y } = state.pointer;
  tip.style.left = clamp(x - box.left + 14, 0, Math.max(0, box.width - tip.offsetWidth)) + 'px';
  tip.style.top = y - box.top + 20 + 'px';
};

const paintWords = () => {
  paintTip();
  find('.si-count').textContent = state.frame + ' / ' + (numFrames() - 1);
  find('.si-frame').value = state.frame;
  find('.si-frame').setAttribute('aria-valuetext', 'frame ' + state.frame + ' of ' + (numFrames() - 1));
};
