const status = element.querySelector('.status');
const write = () => {
  const value = props.value;
  if (!value) return;
  status.dataset.tone = value.tone;
  status.querySelector('p').textContent = value.text;
  status.querySelector('i').style.width = Math.round(100 * (value.share || 0)) + '%';
};
watch('value', write);
write();
