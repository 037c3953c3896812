// Leads to the first tab and lets its inspector show what a caption describes.
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-go]');
  const inspector = document.querySelector('#compare-inspector .si');
  if (!button || !inspector) return;
  document.querySelector('[role=tab]').click();
  inspector.dispatchEvent(new CustomEvent('slot-inspector-go', { detail: JSON.parse(button.dataset.go) }));
  requestAnimationFrame(() => inspector.scrollIntoView({ block: 'start' }));
});
