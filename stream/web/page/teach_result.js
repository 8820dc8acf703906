// Shows how well the examples are recognized, and what is weak about them.

import { byId, setText } from "./dom.js";
import { readable } from "./formats.js";

let shown = "";                    // the result, as JSON

// `learned`: the server's last result, or null.
export function showResult(learned) {
  byId("result").hidden = !learned;
  if (!learned || JSON.stringify(learned) === shown) return;
  shown = JSON.stringify(learned);
  byId("rows").replaceChildren(...learned.activities.map(rowOf));
  const remarks = [...learned.warnings.map((text) => [text, "warning"]), ...learned.notes.map((text) => [text, "note"])];
  byId("remarks").replaceChildren(...remarks.map(([text, kind]) => element("li", text, kind)));
  setText(byId("used"), learned.is_used ? "The service uses it now." : "The service does not use it yet.");
  byId("use").hidden = learned.is_used;
  setText(byId("discard"), learned.is_used ? "Stop using it, and discard it" : "Discard");
}

function rowOf({ activity, examples, recognized, found, taken_for }) {
  const row = document.createElement("tr");
  const others = Object.entries(taken_for).map(([label, count]) => `${readable(label)} ${count}`).join(", ");
  const name = element("th", activity);
  name.scope = "row";
  row.append(name, ...[examples, recognized, found, others].map((value) => element("td", String(value))));
  return row;
}

function element(tag, text, kind) {
  const made = document.createElement(tag);
  setText(made, text);
  if (kind) made.className = kind;
  return made;
}
