// The clip that the model expected after each denoising step: when do the objects appear?
const stepsOf = () => state.model.value.denoising;

const buildSteps = () => {
  const steps = stepsOf();
  find('.si-denoising').hidden = !steps.length;
  Object.assign(find('.si-step'), { max: steps.length, value: steps.length });
  writeStep();
};

const writeStep = () => {
  const words = state.step === null ? 'final' : 'after step ' + stepsOf()[state.step].step;
  find('.si-step-words').textContent = words;
  find('.si-step').setAttribute('aria-valuetext', words);
  root.dataset.step = state.step === null ? 'final' : stepsOf()[state.step].step;
};

// Decoded when first asked for; a step that comes late does not replace a later choice.
const showStep = async (index) => {
  const { model } = state;
  const wanted = index >= stepsOf().length ? null : index;
  model.wanted = wanted;
  if (wanted !== null && !model.steps.has(wanted)) {
    try {
      model.steps.set(wanted, await decodeStep(stepsOf()[wanted]));
    } catch (error) {
      fail(error);
      return;
    }
  }
  if (state.model !== model || model.wanted !== wanted) return;
  state.step = wanted;
  writeStep();
  paint();
};
