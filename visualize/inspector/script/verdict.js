// The figures: nothing is called better unless the interval over many prompts excludes zero.
const DIRECTIONS = { lower: 'lower is better', higher: 'higher is better', context: 'for context' };

const shown = (value, unit) => {
  if (value === null || value === undefined) return 'undefined';
  const size = Math.abs(value);
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 1 ? 2 : clamp(1 - Math.floor(Math.log10(size)), 3, 6);
  return signed(value, digits) + (unit ? ' ' + unit : '');
};

// As many digits as the end nearer to zero needs.
const digitsOf = (ends) => clamp(-Math.floor(Math.log10(Math.min(...ends.filter(Boolean).map(Math.abs), 1))), 2, 5);

const spreadWords = ({ num_prompts: count, num_lower: lower, low, high }) => {
  const digits = digitsOf([low, high]);
  const counted = lower === null ? 'over ' + count : letter(1) + ' lower on ' + lower + ' of ' + count;
  return counted + ' prompts; 95 % interval of the difference ' + signed(low, digits) + ' to ' + signed(high, digits);
};

// A word only where there is a direction and a spread, and the spread is on one side of zero.
const outcome = ({ better, spread }) => {
  if (!spread || better === 'context') return '';
  if (spread.low <= 0 && spread.high >= 0) return 'no clear difference';
  return letter((spread.high < 0) === (better === 'lower') ? 1 : 0) + ' better';
};

const intervalOf = ({ low, high }, isClear) => {
  const reach = Math.max(Math.abs(low), Math.abs(high)) * 1.15 || 1;
  const at = (value) => 50 + (50 * value) / reach;
  const svg = shape('svg', { viewBox: '0 0 100 10', preserveAspectRatio: 'none', class: 'si-interval', 'aria-hidden': 'true' });
  svg.append(
    shape('line', { x1: 0, x2: 100, y1: 5, y2: 5, class: 'si-scale' }), shape('line', { x1: 50, x2: 50, y1: 0, y2: 10, class: 'si-zero' }),
    shape('line', { x1: at(low), x2: at(high), y1: 5, y2: 5, class: 'si-range' + (isClear ? ' si-clear' : '') }),
  );
  return svg;
};

const rowOfMetric = (metric) => {
  const row = node('section', undefined, 'si-row');
  const head = node('div', undefined, 'si-row-head');
  const word = outcome(metric);
  head.append(node('h3', metric.label), node('span', DIRECTIONS[metric.better], 'si-direction'));
  const values = node('div', undefined, 'si-values');
  metric.values.forEach((value, side) => {
    const cell = node('span', undefined, 'si-value');
    if (metric.values.length > 1) cell.append(node('b', letter(side)), ' ');
    cell.append(shown(value, metric.unit));
    values.append(cell);
  });
  if (word) values.append(node('span', word, 'si-outcome' + (word.endsWith('better') ? ' si-clear' : '')));
  row.append(head, values);
  if (metric.spread) row.append(intervalOf(metric.spread, word.endsWith('better')), node('p', capital(spreadWords(metric.spread)) + '.', 'si-spread'));
  row.append(node('p', 'Judge: ' + metric.judge, 'si-judge'));
  return row;
};

const buildVerdict = ({ metrics, verdict, clips: shownClips }) => {
  find('.si-verdict').hidden = !metrics.length && !verdict;
  write(find('.si-verdict-words'), verdict);
  find('.si-rows').replaceChildren(...metrics.map(rowOfMetric));
  find('.si-verdict').setAttribute('aria-label', shownClips.length > 1 ? 'Figures of both clips' : 'Figures of the clip');
};
