// How the inspector meets a page of its own: one value, nobody to tell.
startInspector({
  element: document.body,
  value: () => JSON.parse(document.getElementById('slot-inspector-value').textContent),
  trigger: () => {},
  watch: () => {},
});
