// What the pictures show, as a real table.
const tableOfPair = () => {
  const { side, frames } = shownPair();
  const clip = clips()[side];
  const index = clip.slots.map((_, place) => place);
  return {
    words: letter(side) + ', ' + clip.name + ': rows are slots of frame ' + frames[0] + ', columns of frame ' + frames[1] + '.',
    head: ['slot', ...clip.slots.map((slot) => slot.label)],
    rows: index.map((row) => [clip.slots[row].label, ...index.map((column) => {
      const cell = pairCell(clip, frames, row, column);
      const value = correlation(clip, cell);
      return { text: value === null ? 'undefined' : signed(value, 2), target: { side, cell } };
    })]),
  };
};

// One column an object or slot and clip, one row a frame.
const tableOverTime = (words, digits, pick) => {
  const columns = clips().flatMap((clip, side) => clip.slots.map((slot, index) => ({ clip, side, slot, index })));
  return {
    words,
    head: ['frame', ...columns.map(({ side, slot }) => (clips().length > 1 ? letter(side) + ' ' : '') + slot.label)],
    rows: Array.from({ length: numFrames() }, (_, frame) => [String(frame), ...columns.map(({ clip, side, index }) => {
      const value = pick(clip, frame, index);
      return { text: value === null || value === undefined ? 'undefined' : digits === null ? value : value.toFixed(digits), target: { side, frame, slot: index } };
    })]),
  };
};

const TABLES = {
  pair: tableOfPair,
  identity: () => tableOverTime('The slot that holds each object of frame 0.', null, (clip, frame, object) => {
    const slot = holderOf(clip, frame, object);
    return slot < 0 ? 'absent' : slotName(clip, slot);
  }),
  flicker: () => tableOverTime('Flicker of each slot; lower is steadier.', 4, (clip, frame, slot) => clip.flicker[frame][slot]),
  area: () => tableOverTime('Share of the picture that each slot wins.', 4, (clip, frame, slot) => clip.masks.area[frame * clip.numSlots + slot]),
};

const paintTable = () => {
  if (!find('.si-tables').open) return;
  const { words, head, rows } = TABLES[find('.si-table-view').value]();
  const table = find('.si-table');
  write(find('.si-table-words'), words);
  table.tHead.replaceChildren(lineOf(head, 'th', 'col'));
  table.tBodies[0].replaceChildren(...rows.map((row, index) => {
    const line = lineOf(row, 'td');
    if (find('.si-table-view').value !== 'pair') line.classList.toggle('si-now', index === state.frame);
    return line;
  }));
};

const lineOf = (cells, tag, scope) => {
  const line = node('tr');
  cells.forEach((cell, column) => {
    const made = node(column === 0 && tag === 'td' ? 'th' : tag, cell.text === undefined ? cell : cell.text);
    if (made.tagName === 'TH') made.scope = scope || 'row';
    made.target = cell.target;
    line.append(made);
  });
  return line;
};
