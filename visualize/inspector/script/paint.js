// Everything that follows from the frame is painted here, in one go, and timed.
const numFrames = () => {
  if (state.previews) return Math.min(...state.previews.map((sheet) => sheet.num_frames));
  return state.model ? state.model.numFrames : 1;
};

const paint = () => {
  if (!state.model && !state.previews) return;
  const begun = performance.now();
  paintPlayers();
  paintWords();
  if (state.model && !state.previews) paintViews();
  const cell = state.lock && state.lock.cell;
  Object.assign(root.dataset, { frame: state.frame, cell: cell ? cell.join('.') : '' });
  root.dataset.paintMs = (performance.now() - begun).toFixed(2);
};

const paintViews = () => {
  paintStrips();
  paintMatrices();
  paintTimelines();
  paintCurves();
  paintPair();
  paintTable();
};

// What follows from the value or from a switch, and not from the frame.
const build = () => {
  const begun = performance.now();
  clips().forEach((_, side) => {
    buildStrip(side);
    buildTimeline(side);
  });
  buildMatrices();
  buildCurves();
  paintLegend();
  root.dataset.buildMs = (performance.now() - begun).toFixed(2);
};

const buildMatrices = () => {
  clips().forEach((_, side) => buildMatrix(side));
  find('.si-order-words').textContent = orderWords();
};

const guarded = (action) => (...given) => {
  try {
    return action(...given);
  } catch (error) {
    return fail(error);
  }
};

const fail = (error) => {
  console.error(error);
  play(false);
  showMessage('This view could not be drawn in this browser. Reload the page to try again.' + (showPlainView() ? ' Until then, here are plain pictures.' : ''), 'failed');
};
