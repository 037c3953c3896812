// A card beside the clips that leads from part to part; each step sets the inspector and outlines what it tells of.
const card = element.querySelector('.tour-card');
const part = (name) => card.querySelector('.tour-' + name);
const { steps, words } = props.value;
let at = -1; // -1 while it is closed
let opener = null;
let frame = 0; // where the inspector stood before
let outlined = null;

const inspector = () => document.querySelector('#compare-inspector .si');
const go = (detail) => inspector().dispatchEvent(new CustomEvent('slot-inspector-go', { detail }));
const isReady = () => inspector() && inspector().dataset.phase === 'done' && inspector().dataset.blind !== 'true';

const outline = (node) => {
  if (outlined) outlined.classList.remove('tour-outlined');
  outlined = node;
  if (!node) return;
  node.classList.add('tour-outlined');
  node.scrollIntoView({ block: 'start' });
};

const write = (title, text, count) => {
  card.querySelector('h2').textContent = title;
  card.querySelector('#tour-words').textContent = text;
  part('count').textContent = count;
};

const show = (step) => {
  at = Math.max(0, Math.min(steps.length - 1, step));
  const { title, text, go: state, look } = steps[at];
  go(state);
  outline(inspector().querySelector(look));
  write(title, text, words.count.replace('{step}', at + 1).replace('{steps}', steps.length));
  if (at === 0 && document.activeElement === part('back')) card.focus({ preventScroll: true }); // it is about to go
  part('back').hidden = at === 0;
  part('next').textContent = at === steps.length - 1 ? words.last : words.next;
};

const open = (event) => {
  if (at >= 0) return;
  opener = event.target;
  document.querySelector('[role=tab]').click();
  card.hidden = false;
  part('next').hidden = !isReady();
  part('back').hidden = true;
  if (isReady()) {
    frame = Number(inspector().dataset.frame);
    show(0);
  } else {
    write(words.title, words.later, '');
  }
  card.focus({ preventScroll: true });
};

const close = () => {
  if (at >= 0 && isReady()) go({ view: 'side', slot: -1, cell: null, frame });
  at = -1;
  outline(null);
  card.hidden = true;
  if (opener) opener.focus();
};

const onward = (by) => {
  if (at < 0) return;
  if (!isReady() || at + by >= steps.length) close(); // another result may have come in between
  else show(at + by);
};

const KEYS = { Escape: close, ArrowRight: () => onward(1), ArrowLeft: () => onward(-1) };

part('end').textContent = words.end;
part('back').textContent = words.back;
part('next').textContent = words.next;
part('end').addEventListener('click', close);
part('back').addEventListener('click', () => onward(-1));
part('next').addEventListener('click', () => onward(1));
card.addEventListener('keydown', (event) => {
  if (!KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});
document.addEventListener('olvdm-tour', open);
