// What strip, matrix, timeline and curves have in common: marks over them and labels beside them.
const plotsOf = (kind) => all('.si-plot[data-plot="' + kind + '"]');
const plotOf = (kind, side) => plotsOf(kind).find((plot) => Number(plot.dataset.side) === side);

// Rectangles in cells of the plot: {kind, x, y, width, height}.
const mark = (plot, columns, rows, wanted) => {
  const svg = plot.querySelector('.si-marks');
  const box = '0 0 ' + columns + ' ' + rows;
  if (svg.getAttribute('viewBox') !== box) svg.setAttribute('viewBox', box);
  while (svg.children.length < wanted.length) svg.append(shape('rect', {}));
  while (svg.children.length > wanted.length) svg.lastChild.remove();
  wanted.forEach(({ kind, x, y, width, height }, index) => {
    const rect = svg.children[index];
    const drawn = [kind, x, y, width, height].join(' ');
    if (rect.dataset.drawn === drawn) return;
    rect.dataset.drawn = drawn;
    rect.setAttribute('class', 'si-mark-' + kind);
    Object.entries({ x, y, width, height }).forEach(([name, value]) => rect.setAttribute(name, value));
  });
};

// Labels along the left and the lower side, at shares of the plot.
const label = (plot, left, below) => {
  const tick = (className, place, { at, text, slot }) => {
    const made = node('span', text, className);
    made.style[place] = 100 * at + '%';
    if (slot) dress(made, slot);
    return made;
  };
  plot.querySelector('.si-ticks').replaceChildren(
    ...left.map((each) => tick('si-left', 'top', each)),
    ...below.map((each) => tick('si-below', 'left', each)),
  );
};

// The colour of a slot on a piece of the page; from the second lap on with stripes.
const dress = (element, slot) => {
  element.classList.add('si-slot');
  element.classList.toggle('si-lapped', slot.lap > 0);
  element.style.setProperty('--slot', slot.colour);
  element.style.setProperty('--on-slot', luminance(slot.rgb) > 0.2 ? '#14161c' : '#ffffff');
};

const luminance = (rgb) => {
  const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const frameTicks = (count) => {
  const step = [1, 2, 4, 5, 8, 10, 16, 20, 32].find((each) => count / each <= 9) || 64;
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => ({ at: (index * step + 0.5) / count, text: String(index * step) }));
};

const slotTicks = (clip) => clip.slots.map((slot, index) => ({ at: (index + 0.5) / clip.numSlots, text: slot.mark, slot }));

// Which cell of a plot a pointer is over, as shares of its sides; null outside.
const placeIn = (plot, event) => {
  const box = plot.querySelector('canvas, .si-drawing').getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width;
  const y = (event.clientY - box.top) / box.height;
  return x >= 0 && y >= 0 && x < 1 && y < 1 ? { x, y, box } : null;
};
