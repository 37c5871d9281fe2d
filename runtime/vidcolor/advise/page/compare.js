// What is seen left and right of the slider: gray or a second version, and the colours; and over
// them, on demand, where the model was not sure.
const { second } = data;
const [WIDE, HIGH] = data.size;
const ASPECT = WIDE / HIGH;

// --- the slider -------------------------------------------------------------------------------

let split = 50;
let left = second ? "second" : "gray";

function divide(percent) {
  split = Math.max(0, Math.min(100, percent));
  at("screen").style.setProperty("--split", split);
  if (uncertain) paint(); // each side has its own maps
  at("divider").setAttribute("aria-valuenow", Math.round(split));
  at("left").classList.toggle("off", split < 12);
  at("right").classList.toggle("off", split > 88);
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

function choose(side) {
  left = side;
  at("other").hidden = left !== "second";
  at("before").hidden = left !== "gray";
  at("left").textContent = left === "second" ? second.name : "before";
  at("right").textContent = left === "second" ? data.title : "after";
  at("left-side").setAttribute("aria-pressed", left === "second");
  paint();
}

function fit() {
  const stage = at("screen").parentElement;
  const room = stage.clientWidth;
  const filled = document.fullscreenElement === stage;
  // All but the picture; on a narrow window the page may scroll.
  const rest = [...stage.children].filter((child) => child !== at("screen") && child !== at("tip"))
    .reduce((sum, child) => sum + child.offsetHeight + parseFloat(getComputedStyle(child).marginBottom), 0);
  const above = filled ? 0 : stage.getBoundingClientRect().top + window.scrollY;
  const narrow = matchMedia("(max-width: 900px)").matches;
  const tall = narrow && !filled ? 0.5 * window.innerHeight : Math.max(160, window.innerHeight - above - rest - 14);
  const width = Math.min(room, tall * ASPECT);
  at("screen").style.width = `${width}px`;
  at("screen").style.height = `${width / ASPECT}px`;
  // Of the copy, whose frames may be two, one under the other, the upper is seen.
  film.style.height = second ? `${100 * (2 * HIGH + data.gap) / HIGH}%` : "100%";
}

function fill() {
  if (document.fullscreenElement) document.exitFullscreen();
  else at("screen").parentElement.requestFullscreen().catch(() => {});
}

// --- where the model was not sure -------------------------------------------------------------

let uncertain = false;
let maps = null, secondMaps = null; // one byte for each cell of each frame, row by row

async function unpack(packed) {
  // The inverse of vidcolor.film.confidence_map.pack_maps.
  if (!packed || !window.DecompressionStream) return null;
  const bytes = Uint8Array.from(atob(packed.data), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const values = new Uint8Array(await new Response(stream).arrayBuffer());
  const cells = packed.width * packed.height;
  for (let place = cells; place < values.length; place++) values[place] += values[place - cells];
  return { ...packed, values, cells };
}

const small = document.createElement("canvas");
const stripes = document.createElement("canvas");
stripes.width = stripes.height = 8;
{
  const pen = stripes.getContext("2d");
  pen.fillStyle = "#ff3d81";
  pen.globalAlpha = 0.4;
  pen.fillRect(0, 0, 8, 8);
  pen.globalAlpha = 1;
  pen.strokeStyle = "#fff";
  pen.lineWidth = 1.6;
  for (const shift of [-8, 0, 8]) {
    pen.beginPath();
    pen.moveTo(shift, 8); pen.lineTo(shift + 8, 0);
    pen.stroke();
  }
}

function hatch(pen, map, from, to) {
  // Stripes where the cells' confidence is below the goal, the denser the lower it is.
  const { width, height } = pen.canvas;
  small.width = map.width;
  small.height = map.height;
  const picture = new ImageData(map.width, map.height);
  for (let cell = 0; cell < map.cells; cell++) {
    const value = map.values[current * map.cells + cell] / (map.levels - 1);
    const lack = Math.max(0, Math.min(1, (goal - value) / (0.6 * goal)));
    picture.data[4 * cell + 3] = lack > 0 ? 60 + 160 * lack : 0;
  }
  small.getContext("2d").putImageData(picture, 0, 0);
  pen.save();
  pen.beginPath();
  pen.rect(from * width, 0, (to - from) * width, height);
  pen.clip();
  pen.drawImage(small, 0, 0, width, height);
  pen.restore();
}

function paint() {
  // The second version and the overlay, which follow the film's frames.
  if (left === "second" && film.readyState >= 2) {
    const other = at("other");
    if (other.width !== WIDE) { other.width = WIDE; other.height = HIGH; }
    other.getContext("2d").drawImage(film, 0, HIGH + data.gap, WIDE, HIGH, 0, 0, WIDE, HIGH);
  }
  const canvas = at("uncertain");
  canvas.hidden = !uncertain;
  if (!uncertain) return;
  canvas.width = at("screen").clientWidth;
  canvas.height = at("screen").clientHeight;
  const pen = canvas.getContext("2d"), edge = left === "second" ? split / 100 : 0;
  if (maps) hatch(pen, maps, edge, 1);
  if (secondMaps && edge) hatch(pen, secondMaps, 0, edge);
  pen.globalCompositeOperation = "source-in";
  pen.fillStyle = pen.createPattern(stripes, "repeat");
  pen.fillRect(0, 0, canvas.width, canvas.height);
}

// A busy browser may tell of a new frame long after it is shown.
for (const event of ["loadeddata", "seeked"]) film.addEventListener(event, paint);

function toggleUncertain() {
  if (!maps && !secondMaps) return;
  uncertain = !uncertain;
  at("overlay").setAttribute("aria-pressed", uncertain);
  paint();
}

async function loadMaps() {
  [maps, secondMaps] = await Promise.all([unpack(data.maps), unpack(second?.maps)]);
  at("overlay").disabled = !maps && !secondMaps;
  if (at("overlay").disabled) at("overlay").title = "No maps: the film was coloured before there were any";
  paint();
}
