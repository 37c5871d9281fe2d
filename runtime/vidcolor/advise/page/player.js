"use strict";
// The film, and which of its frames is shown. Frames are counted from the output's first;
// `first` is what the film calls that one.
const data = JSON.parse(document.getElementById("data").textContent);
const { first, times, confidence, shots, keys, suggestions, goal } = data;
const last = confidence.length - 1;
const at = (id) => document.getElementById(id);
const film = at("film");
const colours = getComputedStyle(document.documentElement);
const colour = (name) => colours.getPropertyValue(`--${name}`).trim();

let current = 0;      // the frame that is shown, or sought
let wanted = null;    // the frame to seek once the present search is over
let order = -1;       // the place in the list of the weakest shots

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
  paint();
  film.requestVideoFrameCallback(follow);
}
film.requestVideoFrameCallback(follow);

// --- playing ----------------------------------------------------------------------------------

const FASTEST = 8;
let speed = 0;        // how many times as fast as the film; below 0: backwards
let rewind = null;    // where backwards playing began: the time of the clock, and of the film

function play(rate) {
  rewind = null;
  speed = rate;
  if (speed > 0) {
    if (current === last) seek(0);
    film.playbackRate = speed;
    film.play().catch(() => {}); // stopped before it began
  } else {
    film.pause();
    if (speed < 0) {
      rewind = { clock: performance.now(), film: times[current] };
      requestAnimationFrame(back);
    }
  }
  icon();
}

function back(now) {
  // Browsers do not play backwards: each time the last search is over, the next frame is sought.
  if (rewind === null) return;
  const frame = frameAt(Math.max(0, rewind.film + speed * (now - rewind.clock) / 1000));
  if (frame !== current && (frame === 0 || !film.seeking)) seek(frame);
  if (frame === 0) stop(); else requestAnimationFrame(back);
}

const stop = () => play(0);
function jump(frame) { // while it plays backwards, it would be drawn back
  if (speed < 0) stop();
  seek(frame);
}
const toggle = () => play(speed ? 0 : 1);
const faster = (way) => play(speed * way > 0 ? way * Math.min(FASTEST, 2 * Math.abs(speed)) : way);

for (const event of ["pause", "ended"]) {
  film.addEventListener(event, () => {
    if (speed > 0) speed = 0;
    icon();
    if (wanted === null && rewind === null && !film.seeking) { // on the frame it stopped at
      current = frameAt(film.currentTime);
      show();
    }
  });
}
film.addEventListener("play", icon);

function icon() {
  at("play-icon").setAttribute("d", speed ? "M7 5h4v14H7zM13 5h4v14h-4z" : "M8 5v14l11-7z");
  at("play").setAttribute("aria-label", speed ? "Stop" : "Play");
  at("speed").textContent = speed && speed !== 1 ? `${speed < 0 ? "◀ " : ""}${Math.abs(speed)}×` : "";
}

function step(frames, seconds) {
  stop();
  seek(seconds ? frameAt(times[current] + seconds) : current + frames);
}

function mute() {
  film.muted = !film.muted;
  at("sound").setAttribute("aria-pressed", !film.muted);
}

// --- the address ------------------------------------------------------------------------------

function fromAddress() {
  const found = /^#f=(\d{1,9})$/.exec(location.hash);
  if (!found) return;
  stop();
  seek(Number(found[1]) - first);
}
window.addEventListener("hashchange", fromAddress);

let telling = null;
function tellAddress() {
  // Once the film rests: browsers refuse pages that change their address all the time.
  clearTimeout(telling);
  telling = setTimeout(() => {
    if (!speed) history.replaceState(null, "", `#f=${ofFilm(current)}`);
  }, 300);
}
