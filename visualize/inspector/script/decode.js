// The value as it travels -> pictures and typed arrays, decoded once.
const inflate = async (packed) => {
  const bytes = Uint8Array.from(atob(packed.data), (letters) => letters.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
};

// A bitmap stays decoded; an image may be decoded anew at each drawing.
const decodeSheet = async (sheet) => {
  const image = new Image();
  image.src = sheet.src;
  await image.decode();
  return { ...sheet, picture: await createImageBitmap(image) };
};

const decodeMasks = async (packed) => {
  const [frames, slots, height, width] = packed.shape;
  const masks = { frames, slots, height, width, shares: await inflate(packed), contours: new Map() };
  return Object.assign(masks, winners(masks));
};

// Which slot has the largest share of each position, and what follows from that.
const winners = ({ frames, slots, height, width, shares }) => {
  const size = height * width;
  const winner = new Uint8Array(frames * size);
  const area = new Float32Array(frames * slots);
  const centre = new Float32Array(frames * slots * 2);
  for (let place = 0; place < frames * size; place += 1) {
    const frame = Math.floor(place / size);
    const within = place % size;
    let best = 0;
    for (let slot = 1; slot < slots; slot += 1) {
      if (shares[(frame * slots + slot) * size + within] > shares[(frame * slots + best) * size + within]) best = slot;
    }
    const index = frame * slots + best;
    winner[place] = best;
    area[index] += 1;
    centre[2 * index] += (within % width) + 0.5;
    centre[2 * index + 1] += Math.floor(within / width) + 0.5;
  }
  for (let index = 0; index < area.length; index += 1) {
    centre[2 * index] /= Math.max(1, area[index]) * width;
    centre[2 * index + 1] /= Math.max(1, area[index]) * height;
    area[index] /= size;
  }
  return { winner, area, centre };
};

const channels = (hex) => [1, 3, 5].map((place) => parseInt(hex.slice(place, place + 2), 16));

const decodeClip = async (clip) => {
  const [sheet, masks, codes, presence] = await Promise.all([
    decodeSheet(clip.sheet), decodeMasks(clip.masks), inflate(clip.correlation), inflate(clip.presence),
  ]);
  const [numFrames, numSlots] = clip.presence.shape;
  const slots = clip.slots.map((slot) => ({ ...slot, rgb: channels(slot.colour) }));
  return { ...clip, sheet, masks, codes, presence, slots, numFrames, numSlots };
};

const decodeStep = async (step) => ({
  step: step.step,
  sheets: await Promise.all(step.sheets.map(decodeSheet)),
  masks: await Promise.all(step.masks.map(decodeMasks)),
});

const decodeModel = async (value) => {
  const decoded = await Promise.all(value.clips.map(decodeClip));
  const colours = value.colours ? await inflate(value.colours) : greys();
  const numFrames = Math.min(...decoded.map((clip) => clip.numFrames));
  return { value, clips: decoded, colours, numFrames, steps: new Map() };
};

const greys = () => Uint8Array.from({ length: 768 }, (_, place) => Math.floor(place / 3));

// Correlation of slot k1 in frame t1 with slot k2 in frame t2; null where undefined.
const correlation = (clip, [t1, k1, t2, k2]) => {
  if (k1 < 0 || k2 < 0) return null;
  const rows = clip.numFrames * clip.numSlots;
  const code = clip.codes[(t1 * clip.numSlots + k1) * rows + t2 * clip.numSlots + k2];
  return code === UNDEFINED ? null : code / 127 - 1;
};

const isPresent = (clip, frame, slot) => slot >= 0 && clip.presence[frame * clip.numSlots + slot] > 0;

// The object, named by its slot in frame 0, that a slot holds; -1 for none.
const objectOf = (clip, frame, slot) => (isPresent(clip, frame, slot) ? clip.assignment[frame].indexOf(slot) : -1);
const holderOf = (clip, frame, object) => {
  const slot = clip.assignment[frame][object];
  return isPresent(clip, frame, slot) ? slot : -1;
};

// Row of a matrix -> frame and slot, in either order, raw or renumbered by the matching.
const rowOf = (clip, frame, slot, order) => (order === 'frame' ? frame * clip.numSlots + slot : slot * clip.numFrames + frame);
const atRow = (clip, row, order) => (order === 'frame'
  ? [Math.floor(row / clip.numSlots), row % clip.numSlots]
  : [row % clip.numFrames, Math.floor(row / clip.numFrames)]);
const rawSlot = (clip, frame, index, matching) => (matching === 'raw' ? index : clip.assignment[frame][index]);
const shownSlot = (clip, frame, slot, matching) => (matching === 'raw' ? slot : clip.assignment[frame].indexOf(slot));
