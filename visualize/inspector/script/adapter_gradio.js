// How the inspector meets Gradio. The names of the events, 'cell' and 'pin', are read from here.
startInspector({
  element,
  value: () => props.value,
  trigger,
  watch: (changed) => watch('value', changed),
  canPin: props.can_pin === true,
  state: (detail) => element.querySelector('.si').dispatchEvent(new CustomEvent('slot-inspector-state', { bubbles: true, detail })),
});
