// Shows the people in front of a camera: a box around each in the picture, and a line each if there are several.

import { currentTime, named } from "./camera_texts.js";
import { byId, setText } from "./dom.js";
import { duration, percent, readable } from "./formats.js";

const SVG = "http://www.w3.org/2000/svg";
const LABEL = 0.042;               // height of a label's text as a share of the picture's height

export function showPeople(camera) {
  const { view, parts } = camera;
  const isSeen = view.state === "live" && view.blind === null;
  const subjects = isSeen ? view.subjects : [];
  showBoxes(parts.boxes, parts.picture, subjects);
  const people = subjects.filter(({ person }) => person !== null);
  showLines(camera, people.length > 1 ? people : []);
}

// Draw the boxes in pixels of the picture, so that they stay in place in a card of any shape.
function showBoxes(svg, picture, subjects) {
  const { width, height } = picture;
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  resize(svg, subjects.length, () => {
    const group = document.createElementNS(SVG, "g");
    group.append(document.createElementNS(SVG, "rect"), document.createElementNS(SVG, "text"));
    return group;
  });
  subjects.forEach(({ person, box: [left, top, right, bottom], activity }, index) => {
    const group = svg.children[index];
    const [rect, text] = group.children;
    const isActive = activity !== "unknown";
    group.toggleAttribute("data-active", isActive);
    const sides = { x: left * width, y: top * height, width: (right - left) * width, height: (bottom - top) * height };
    for (const [name, value] of Object.entries(sides)) rect.setAttribute(name, value);
    const size = LABEL * height;
    text.setAttribute("font-size", size);
    text.setAttribute("x", sides.x + 0.2 * size);
    text.setAttribute("y", Math.max(size, sides.y - 0.4 * size));
    setText(text, person === null ? "" : isActive ? `${person} ${readable(activity)}` : `${person}`);
  });
}

function showLines(camera, people) {
  const list = camera.parts.people;
  resize(list, people.length, () => byId("person").content.firstElementChild.cloneNode(true));
  people.forEach(({ person, activity, confidence, since }, index) => {
    const [who, does, lasting] = list.children[index].children;
    const isActive = activity !== "unknown";
    list.children[index].toggleAttribute("data-active", isActive);
    setText(who, `Person ${person}`);
    setText(does, isActive ? `${readable(activity)} ${percent(confidence)}` : named(activity));
    setText(lasting, since > 0 ? `for ${duration(currentTime(camera) - since)}` : "");
  });
}

function resize(parent, length, newChild) {
  while (parent.children.length > length) parent.lastElementChild.remove();
  while (parent.children.length < length) parent.append(newChild());
}
