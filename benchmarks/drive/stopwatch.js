// Notes when somebody clicked, and when what followed was on the screen: two frames later, so that
// the one in between has been painted.
window.stopwatch = { marks: [] };
{
  const { marks } = window.stopwatch;
  const note = (name, value) => requestAnimationFrame(() => requestAnimationFrame(() => marks.push({ name, value, at: performance.now() })));
  document.addEventListener('click', (event) => marks.push({ name: 'click', at: event.timeStamp }), true);
  new MutationObserver((changes) => {
    for (const { target, attributeName } of changes) {
      if (target.closest('#compare-inspector .si')) note(attributeName, target.getAttribute(attributeName));
    }
  }).observe(document, { subtree: true, attributes: true, attributeFilter: ['data-phase', 'data-cell'] });
  // Milliseconds from the last click (or the opening of the page) to the first such change after it.
  window.stopwatch.since = (name, value) => {
    const click = marks.findLast((mark) => mark.name === 'click');
    const from = click ? click.at : 0;
    const to = marks.find((mark) => mark.name === name && mark.at >= from && (value === null ? mark.value : mark.value === value));
    return to ? to.at - from : null;
  };
}
