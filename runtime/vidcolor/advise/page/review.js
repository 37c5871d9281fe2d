// What the page says, its lists, and its keyboard.

const without = data.unkeyed === "gray" ? "no key: it stays gray" : "no key: its colours are guessed";
let shown = null;      // the shot whose notes and row are shown

function show() {
  const shot = shotOf(current), key = keys.find(({ frame }) => frame === current);
  at("frame").textContent = ofFilm(current);
  at("time").textContent = clock(times[current]);
  at("shot").textContent = shot.number;
  at("confidence").textContent = confidence[current].toFixed(2);
  at("confidence").classList.toggle("weak", confidence[current] < goal);
  at("key").hidden = !key;
  if (key) at("key-image").textContent = key.image;
  at("shot-name").textContent = `shot ${shot.number}, ${span(shot.start, shot.stop)}`;
  const count = shot.keys;
  at("shot-state").textContent = count ? `${count} key${count > 1 ? "s" : ""}` : without;
  if (shot !== shown) {
    shown = shot;
    for (const row of document.querySelectorAll("#shots .row")) {
      row.classList.toggle("current", Number(row.dataset.start) === shot.start);
    }
    showNotes();
  }
  draw();
  tellAddress();
}

function make(tag, text, type) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (type) element.className = type;
  return element;
}

function spark(shot) {
  // The shot's confidence, small: a line through at most 60 of its frames.
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
  const count = shot.stop - shot.start, points = Math.min(60, count);
  const coordinates = Array.from({ length: points }, (_, index) => {
    const frame = shot.start + Math.round(index * (count - 1) / Math.max(1, points - 1));
    return `${points > 1 ? 100 * index / (points - 1) : 50},${(20 * (1 - confidence[frame])).toFixed(1)}`;
  });
  svg.setAttribute("viewBox", "0 0 100 20");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  line.setAttribute("points", coordinates.join(" "));
  line.setAttribute("fill", "none");
  line.setAttribute("stroke", colour(shot.mean < goal ? "weak" : "sure"));
  line.setAttribute("stroke-width", "1.5");
  line.setAttribute("vector-effect", "non-scaling-stroke");
  svg.append(line);
  return svg;
}

const weakest = [...shots].sort((one, other) => one.mean - other.mean || one.start - other.start);

function list() {
  for (const [name, value] of data.facts) {
    const fact = make("div");
    fact.append(make("dt", name), make("dd", value));
    at("facts").append(fact);
  }
  const line = second?.confidence ? `; line: ${second.name}` : "";
  at("legend").textContent = `confidence; dashed: ${goal}; ◆ keys, ◇ keys to paint next${line}`;
  for (const shot of weakest) {
    const row = make("button", undefined, "row"), text = make("div"), picture = make("img");
    picture.src = shot.picture;
    picture.alt = "";
    text.append(make("strong", `Shot ${shot.number}`), make("span", span(shot.start, shot.stop)), spark(shot), make("em", "", "noted"));
    const mean = make("b", shot.mean.toFixed(2));
    mean.classList.toggle("weak", shot.mean < goal);
    row.append(picture, text, mean);
    row.dataset.start = shot.start;
    row.addEventListener("click", () => visit(weakest.indexOf(shot)));
    at("shots").append(make("li"));
    at("shots").lastChild.append(row);
  }
  for (const suggestion of suggestions) {
    const row = make("button", undefined, "row key"), text = make("div");
    text.append(
      make("strong", `Frame ${ofFilm(suggestion.frame)}`),
      make("span", `for ${span(suggestion.start, suggestion.stop)}`),
    );
    row.append(text, make("b", `${suggestion.before.toFixed(2)} → ${suggestion.after.toFixed(2)}`));
    row.addEventListener("click", () => { stop(); seek(suggestion.frame); });
    at("next").append(make("li"));
    at("next").lastChild.append(row);
  }
  if (!suggestions.length) at("next").replaceWith(make("p", "None would help much.", "empty"));
}

function visit(place) {
  order = Math.max(0, Math.min(weakest.length - 1, place));
  stop();
  seek(weakest[order].weakest);
  document.querySelectorAll("#shots .row")[order].scrollIntoView({ block: "nearest" });
}

// --- the keyboard -----------------------------------------------------------------------------

function otherShot(by) {
  stop();
  const shot = shotOf(current), place = shots.indexOf(shot);
  seek(by < 0 && current > shot.start ? shot.start : shots[Math.max(0, Math.min(shots.length - 1, place + by))].start);
}
const opened = (id) => { if (at(id).open) at(id).close(); else at(id).showModal(); };
const doings = {
  " ": toggle,
  ArrowLeft: (event) => step(-1, event.shiftKey ? -1 : 0),
  ArrowRight: (event) => step(1, event.shiftKey ? 1 : 0),
  ArrowUp: () => otherShot(-1),
  ArrowDown: () => otherShot(1),
  Home: () => { stop(); seek(0); },
  End: () => { stop(); seek(last); },
  ",": () => step(-1, 0),
  ".": () => step(1, 0),
  j: () => faster(-1),
  k: stop,
  l: () => faster(1),
  w: (event) => visit(order + (event.shiftKey ? -1 : 1)),
  b: () => divide(split === 100 ? 0 : split === 0 ? 50 : 100),
  v: () => { if (second) choose(left === "second" ? "gray" : "second"); },
  c: toggleUncertain,
  x: nextFlag,
  n: () => at("note").focus(),
  m: () => { if (data.sound) mute(); },
  f: fill,
  e: () => opened("exports"),
  "?": () => opened("help"),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") && event.key !== "?") return;
  if (event.target.matches("textarea, input")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.target === at("divider") && event.key.startsWith("Arrow")) {
    divide(split + ({ ArrowLeft: -2, ArrowDown: -2 }[event.key] ?? 2));
  } else if (key in doings) {
    if (key === " " && event.target.closest("button")) return; // it presses that button
    doings[key](event);
  } else {
    return;
  }
  event.preventDefault();
});
const buttons = {
  play: toggle, back: () => step(-1, 0), on: () => step(1, 0), sound: mute, overlay: toggleUncertain,
  "left-side": doings.v, fill, export: doings.e, "help-button": doings["?"],
};
for (const [id, act] of Object.entries(buttons)) at(id).addEventListener("click", act);

// --- begin ------------------------------------------------------------------------------------

function load() {
  if (data.video) { film.src = data.video; return; } // lies beside the page
  const bytes = Uint8Array.from(atob(at("video").textContent), (letter) => letter.charCodeAt(0));
  film.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
}
function refit() {
  fit();
  draw();
  paint();
}
for (const event of ["resize", "fullscreenchange"]) {
  window.addEventListener(event, refit);
}
// Its buttons may take another line, and its figures grow.
new ResizeObserver(refit).observe(document.querySelector(".transport"));
at("sound").hidden = !data.sound;
at("left-side").hidden = !second;
restore();
list();
choose(left);
fit();
icon();
load();
loadMaps();
divide(50);
show();
fromAddress();
