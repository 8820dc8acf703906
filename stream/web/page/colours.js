// Chooses a colour for each activity.

// Okabe and Ito's colours for colour-blind people without black, with a lighter blue for the dark page, and three more.
const PALETTE = ["#e69f00", "#56b4e9", "#009e73", "#f0e442", "#3f7fe8", "#d55e00", "#cc79a7", "#8d99ae", "#b58be8", "#a6a23c"];
const colours = new Map();

// The hash (FNV-1a) of a name chooses its colour, so that an activity keeps its colour. A taken colour is skipped.
export function assignColours(labels) {
  colours.clear();
  [...labels].sort().forEach(colour);
}

export function colour(label) {
  if (colours.has(label)) return colours.get(label);
  let hash = 2166136261;
  for (const character of label) hash = Math.imul(hash ^ character.codePointAt(0), 16777619) >>> 0;
  const taken = new Set(colours.values());
  const order = PALETTE.map((_, step) => PALETTE[(hash + step) % PALETTE.length]);
  colours.set(label, order.find((candidate) => !taken.has(candidate)) ?? order[0]);
  return colours.get(label);
}
