// Computes the size of the cameras' cards.

import { byId } from "./dom.js";

const SHAPES = [1.3, 1.9];         // limits of a card's width / height; other pictures get a blurred margin
const MIN_WIDTH = 160;             // the smallest width of a card in pixels; if the cards do not fit, the page scrolls

// Choose the number of columns with the largest pictures. More columns win if their pictures are almost as large. In a
// narrow window, the style sheet decides.
export function fit(cameras) {
  const stage = byId("stage");
  const shown = cameras.filter((camera) => !camera.card.hidden);
  const style = getComputedStyle(stage);
  const gap = parseFloat(style.rowGap) || 0;
  const width = stage.clientWidth - 2 * parseFloat(style.paddingLeft);
  const height = stage.clientHeight - 2 * parseFloat(style.paddingTop);
  const shape = commonShape(shown);
  let best = 0, chosen = 0;
  for (let columns = 1; columns <= shown.length; columns++) {
    const rows = Math.ceil(shown.length / columns);
    const wide = Math.min((width - gap * (columns - 1)) / columns, shape * (height - gap * (rows - 1)) / rows);
    if (wide < 0.9 * best) continue;
    best = Math.max(best, wide);
    chosen = wide;
  }
  const wide = Math.floor(Math.max(chosen, Math.min(MIN_WIDTH, width)));
  stage.style.setProperty("--wide", `${wide}px`);
  stage.style.setProperty("--high", `${Math.floor(wide / shape)}px`);
  stage.style.setProperty("--shape", String(shape));
}

function commonShape(shown) {
  const shapes = shown.filter((camera) => camera.card.dataset.pictured !== undefined)
    .map(({ parts }) => parts.picture.width / parts.picture.height);
  const isCommon = shapes.length > 0 && shapes.every((shape) => Math.abs(shape - shapes[0]) < 0.05);
  return isCommon ? Math.min(SHAPES[1], Math.max(SHAPES[0], shapes[0])) : 16 / 9;
}
