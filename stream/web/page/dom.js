// Functions that change the DOM.

import { colour } from "./colours.js";
import { percent } from "./formats.js";

export const byId = (id) => document.getElementById(id);

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setBar(meter, share, label) {
  meter.style.setProperty("--share", percent(Math.min(1, Math.max(0, share))));
  meter.style.setProperty("--colour", colour(label));
}
