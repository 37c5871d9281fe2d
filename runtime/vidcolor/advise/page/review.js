"use strict";
// One video, whose left part is seen in gray, and the model's confidence along it. Frames are
// counted here from the output's first; `data.first` is what the film calls that one.
const data = JSON.parse(document.getElementById("data").textContent);
const { first, times, confidence, shots, keys, suggestions, goal } = data;
const last = confidence.length - 1;
const at = (id) => document.getElementById(id);
const film = at("film");
const colours = getComputedStyle(document.documentElement);
const colour = (name) => colours.getPropertyValue(`--${name}`).trim();

let current = 0;      // the frame that is shown, or sought
let wanted = null;    // the frame to seek once the present search is over
let order = -1;       // the shot that j and k stand at

// --- frames and times -------------------------------------------------------------------------

function frameAt(seconds) {
  let low = 0, high = last;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (times[middle] <= seconds + 1e-4) low = middle; else high = middle - 1;
  }
  return low;
}

function clock(seconds) {
  const ms = Math.round(1000 * seconds);
  const part = (value, digits) => String(value).padStart(digits, "0");
  return `${Math.floor(ms / 3600000)}:${part(Math.floor(ms / 60000) % 60, 2)}:` +
    `${part(Math.floor(ms / 1000) % 60, 2)}.${part(ms % 1000, 3)}`;
}

const shotOf = (frame) => shots.findLast((shot) => shot.start <= frame);
const ofFilm = (frame) => first + frame;
const span = (start, stop) => `frames ${ofFilm(start)} to ${ofFilm(stop - 1)}`;

function seek(frame) {
  current = Math.max(0, Math.min(last, frame));
  show();
  if (film.seeking || film.readyState < 1) { wanted = current; return; }
  // Into the frame, not onto its edge, where rounding decides which of two is shown.
  film.currentTime = (times[current] + times[current + 1]) / 2;
}

film.addEventListener("seeked", next);
film.addEventListener("loadedmetadata", next);
function next() {
  if (wanted === null) return;
  const frame = wanted;
  wanted = null;
  seek(frame);
}

function follow(_, shown) {
  if (!film.paused && wanted === null) {
    current = frameAt(shown.mediaTime);
    show();
  }
  film.requestVideoFrameCallback(follow);
}
film.requestVideoFrameCallback(follow);

function toggle() {
  if (!film.paused) film.pause();
  else {
    if (current === last) seek(0);
    film.play();
  }
}
for (const event of ["play", "pause", "ended"]) {
  film.addEventListener(event, () => {
    icon();
    if (film.paused && wanted === null) { // on the frame it stopped at
      current = frameAt(film.currentTime);
      show();
    }
  });
}
function icon() {
  const still = film.paused;
  at("play-icon").setAttribute("d", still ? "M8 5v14l11-7z" : "M7 5h4v14H7zM13 5h4v14h-4z");
  at("play").setAttribute("aria-label", still ? "Play" : "Stop");
}

// --- before and after -------------------------------------------------------------------------

let split = 50;
function divide(percent) {
  split = Math.max(0, Math.min(100, percent));
  at("screen").style.setProperty("--split", split);
  at("divider").setAttribute("aria-valuenow", Math.round(split));
  document.querySelector(".label.left").classList.toggle("off", split < 12);
  document.querySelector(".label.right").classList.toggle("off", split > 88);
}
at("screen").addEventListener("pointerdown", (event) => {
  at("screen").setPointerCapture(event.pointerId);
  drag(event);
});
at("screen").addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
function drag(event) {
  const box = at("screen").getBoundingClientRect();
  divide(100 * (event.clientX - box.left) / box.width);
}
function fit() {
  const room = at("screen").parentElement.clientWidth;
  const tall = Math.max(240, window.innerHeight - 380);
  const width = Math.min(room, tall * data.aspect);
  at("screen").style.width = `${width}px`;
  at("screen").style.height = `${width / data.aspect}px`;
}

// --- the tracks -------------------------------------------------------------------------------

class Track {
  // The confidence of the frames from `start` to before `stop`, which `range` gives.
  constructor(canvas, range) {
    this.canvas = canvas;
    this.range = range;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      seek(this.frame(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (event.buttons) seek(this.frame(event));
      this.tip(event);
    });
    canvas.addEventListener("pointerleave", () => { at("tip").hidden = true; });
  }

  frame(event) {
    const box = this.canvas.getBoundingClientRect();
    const [start, stop] = this.range();
    const place = (event.clientX - box.left) / box.width;
    return Math.max(start, Math.min(stop - 1, start + Math.floor(place * (stop - start))));
  }

  tip(event) {
    const frame = this.frame(event), tip = at("tip"), box = this.canvas.getBoundingClientRect();
    tip.textContent = `${ofFilm(frame)}  ·  ${confidence[frame].toFixed(2)}`;
    tip.hidden = false;
    const half = tip.offsetWidth / 2 + 4;
    tip.style.left = `${Math.max(half, Math.min(window.innerWidth - half, event.clientX))}px`;
    tip.style.top = `${box.top}px`;
  }

  draw() {
    const { canvas } = this, dpr = window.devicePixelRatio || 1;
    const wide = canvas.clientWidth, high = canvas.clientHeight;
    canvas.width = Math.round(wide * dpr);
    canvas.height = Math.round(high * dpr);
    const pen = canvas.getContext("2d");
    pen.scale(dpr, dpr);
    const [start, stop] = this.range(), count = stop - start;
    const top = 14, base = high - 12;
    const across = (frame) => (frame - start) / count * wide;
    const up = (value) => base - (base - top) * value;

    // Columns as wide as a pixel or a frame; where a pixel holds many frames, their least.
    const columns = Math.min(count, wide);
    for (let column = 0; column < columns; column++) {
      const from = start + Math.floor(column * count / columns);
      const to = Math.max(from + 1, start + Math.floor((column + 1) * count / columns));
      let least = 1;
      for (let frame = from; frame < to; frame++) least = Math.min(least, confidence[frame]);
      const left = Math.round(across(from) * dpr) / dpr; // whole pixels leave no seams
      const right = Math.round(across(to) * dpr) / dpr;
      pen.fillStyle = colour(least < goal ? "weak" : "sure");
      pen.globalAlpha = 0.34;
      pen.fillRect(left, up(least), right - left, base - up(least));
      pen.globalAlpha = 1;
      pen.fillRect(left, up(least) - 0.75, right - left, 1.5);
    }

    pen.fillStyle = colour("dim");
    pen.globalAlpha = 0.55;
    for (let x = 0; x < wide; x += 7) pen.fillRect(x, up(goal) - 0.5, 3, 1);
    pen.globalAlpha = 1;
    for (const shot of shots) {
      if (shot.start > start && shot.start < stop) {
        pen.fillStyle = colour("ground");
        pen.fillRect(across(shot.start) - 1.5, 0, 3, high);
      }
    }
    for (const suggestion of suggestions) {
      if (suggestion.frame >= start && suggestion.frame < stop) {
        diamond(pen, across(suggestion.frame + 0.5), base + 5, 4, null, colour("key"));
      }
    }
    for (const { frame } of keys) {
      if (frame >= start && frame < stop) {
        const x = across(frame + 0.5);
        pen.fillStyle = colour("key");
        pen.fillRect(x - 0.5, up(1), 1, base - up(1));
        diamond(pen, x, base + 5, 4, colour("key"), colour("key"));
      }
    }
    if (current >= start && current < stop) {
      const x = across(current + 0.5);
      pen.fillStyle = "#fff";
      pen.fillRect(x - 0.75, 4, 1.5, high - 4);
      pen.beginPath();
      pen.moveTo(x - 5, 2); pen.lineTo(x + 5, 2); pen.lineTo(x, 9);
      pen.fill();
    }
  }
}

function diamond(pen, x, y, reach, fill, line) {
  pen.beginPath();
  pen.moveTo(x, y - reach); pen.lineTo(x + reach, y); pen.lineTo(x, y + reach); pen.lineTo(x - reach, y);
  pen.closePath();
  if (fill) { pen.fillStyle = fill; pen.fill(); }
  pen.strokeStyle = line;
  pen.stroke();
}

const tracks = [
  new Track(at("film-track"), () => [0, last + 1]),
  new Track(at("shot-track"), () => { const shot = shotOf(current); return [shot.start, shot.stop]; }),
];

// --- what is said -----------------------------------------------------------------------------

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
  at("shot-state").textContent = count ? `${count} key${count > 1 ? "s" : ""}` : "no key: its colours are guessed";
  for (const row of document.querySelectorAll("#shots .row")) {
    row.classList.toggle("current", Number(row.dataset.start) === shot.start);
  }
  draw();
}

let due = false;
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => { due = false; for (const track of tracks) track.draw(); });
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
  at("legend").textContent = `confidence; dashed: ${goal}; ◆ keys, ◇ keys to paint next`;
  for (const shot of weakest) {
    const row = make("button", undefined, "row"), text = make("div"), picture = make("img");
    picture.src = shot.picture;
    picture.alt = "";
    text.append(make("strong", `Shot ${shot.number}`), make("span", span(shot.start, shot.stop)), spark(shot));
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
    row.addEventListener("click", () => { film.pause(); seek(suggestion.frame); });
    at("next").append(make("li"));
    at("next").lastChild.append(row);
  }
  if (!suggestions.length) at("next").replaceWith(make("p", "None would help much.", "empty"));
}

function visit(place) {
  order = Math.max(0, Math.min(weakest.length - 1, place));
  film.pause();
  seek(weakest[order].weakest);
  document.querySelectorAll("#shots .row")[order].scrollIntoView({ block: "nearest" });
}

// --- the keyboard -----------------------------------------------------------------------------

function step(frames, seconds) {
  film.pause();
  seek(seconds ? frameAt(times[current] + seconds) : current + frames);
}
function otherShot(by) {
  film.pause();
  const shot = shotOf(current), place = shots.indexOf(shot);
  seek(by < 0 && current > shot.start ? shot.start : shots[Math.max(0, Math.min(shots.length - 1, place + by))].start);
}
const doings = {
  " ": toggle,
  ArrowLeft: (event) => step(-1, event.shiftKey ? -1 : 0),
  ArrowRight: (event) => step(1, event.shiftKey ? 1 : 0),
  ArrowUp: () => otherShot(-1),
  ArrowDown: () => otherShot(1),
  j: () => visit(order + 1),
  k: () => visit(order - 1),
  b: () => divide(split === 100 ? 0 : split === 0 ? 50 : 100),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target === at("divider") && event.key.startsWith("Arrow")) {
    divide(split + ({ ArrowLeft: -2, ArrowDown: -2 }[event.key] ?? 2));
  } else if (event.key in doings) {
    if (event.key === " " && event.target.closest("button")) return; // it presses that button
    doings[event.key](event);
  } else {
    return;
  }
  event.preventDefault();
});
at("play").addEventListener("click", toggle);

// --- begin ------------------------------------------------------------------------------------

function load() {
  if (data.video) { film.src = data.video; return; } // lies beside the page
  const bytes = Uint8Array.from(atob(at("video").textContent), (letter) => letter.charCodeAt(0));
  film.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
}
window.addEventListener("resize", () => { fit(); draw(); });
fit();
list();
icon();
load();
divide(50);
show();
