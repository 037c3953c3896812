// Where nothing can be painted: the frames as plain pictures under one slider, and the figures.
const plainPlayer = ({ name, sheet }, side, count) => {
  const rows = Math.ceil(sheet.num_frames / sheet.columns);
  const picture = Object.assign(new Image(), { src: sheet.src });
  picture.style.width = 100 * sheet.columns + '%';
  const frame = node('div', undefined, 'si-pictures-frame');
  frame.style.aspectRatio = sheet.width + ' / ' + sheet.height;
  frame.append(picture);
  const figure = node('figure');
  figure.append(node('figcaption', (count > 1 ? letter(side) + ', ' : '') + name), frame);
  const turn = (wanted) => {
    const [column, row] = [wanted % sheet.columns, Math.floor(wanted / sheet.columns)];
    picture.style.transform = 'translate(' + (-100 * column) / sheet.columns + '%, ' + (-100 * row) / rows + '%)';
    picture.alt = name + ', frame ' + wanted;
  };
  return { figure, turn };
};

const plainView = ({ clips: given, metrics, start }) => {
  const players = given.map((clip, side) => plainPlayer(clip, side, given.length));
  const last = Math.min(...given.map(({ sheet }) => sheet.num_frames)) - 1;
  const slider = Object.assign(node('input'), { type: 'range', min: 0, max: last, value: start.frame });
  const said = node('span');
  const turn = () => {
    const frame = Number(slider.value);
    players.forEach((player) => player.turn(frame));
    said.textContent = 'frame ' + frame + ' / ' + last;
  };
  slider.addEventListener('input', turn);
  slider.setAttribute('aria-label', 'Frame');
  turn();
  const pictures = node('div', undefined, 'si-pictures-players');
  pictures.append(...players.map(({ figure }) => figure));
  const line = node('label');
  line.append(slider, said);
  const figures = node('div', undefined, 'si-rows');
  figures.append(...metrics.map(rowOfMetric));
  return [pictures, line, figures];
};

// Of what was last asked for, or else of what was on the screen; says whether it could be read.
const showPlainView = () => {
  try {
    const asked = host.value();
    const value = asked.phase === 'done' || !state.model ? asked : state.model.value;
    find('.si-pictures').replaceChildren(...plainView(value));
    return true;
  } catch (error) {
    find('.si-pictures').replaceChildren();
    return false;
  }
};
