// Markers as files that editing programs read. A marker has a frame, counted from the output's
// first, a name, a note, and one of the colours that DaVinci Resolve has.
const [RATE, PER] = data.rate;               // RATE / PER frames a second
const BASE = Math.max(1, Math.round(RATE / PER)); // frames that a second of timecode counts

function timecode(frames) {
  const two = (value) => String(value).padStart(2, "0");
  const seconds = Math.floor(frames / BASE);
  return [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60, frames % BASE]
    .map(two).join(":");
}

function framesOf(text) {
  // The inverse, of what somebody typed; null if it is no timecode.
  const parts = /^(\d{1,2}):(\d\d):(\d\d)[:;](\d\d)$/.exec(text.trim());
  if (!parts) return null;
  const [hours, minutes, seconds, frames] = parts.slice(1).map(Number);
  if (hours > 23 || minutes > 59 || seconds > 59 || frames >= BASE) return null;
  return ((hours * 60 + minutes) * 60 + seconds) * BASE + frames;
}

const oneLine = (text) => text.replace(/[\s|]+/g, " ").trim();
const xml = (text) => text
  .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
  .replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const csv = (rows) => "\uFEFF" + rows
  .map((row) => row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(",") + "\r\n")
  .join("");

function edl(markers, begin) {
  // CMX3600: an event of a frame for each marker. Resolve reads the line that begins with a bar,
  // Avid and others the one with LOC.
  const events = markers.map(({ frame, name, note, colour }, index) => {
    const [from, to] = [timecode(begin + frame), timecode(begin + frame + 1)];
    const text = oneLine(note ? `${name}: ${note}` : name);
    return `${String(index + 1).padStart(3, "0")}  AX       V     C        ${from} ${to} ${from} ${to}\r\n` +
      ` |C:ResolveColor${colour} |M:${text} |D:1\r\n` +
      `* LOC: ${from} ${colour.toUpperCase().padEnd(7)} ${text}\r\n\r\n`;
  });
  return `TITLE: ${oneLine(data.title).slice(0, 70)}\r\nFCM: NON-DROP FRAME\r\n\r\n${events.join("")}`;
}

function markersCsv(markers, begin) {
  const rows = markers.map(({ frame, name, note, colour }) => [
    name, note, timecode(begin + frame), timecode(begin + frame + 1), "00:00:00:01", "Comment",
    ofFilm(frame), colour,
  ]);
  const titles = ["Marker Name", "Description", "In", "Out", "Duration", "Marker Type", "Frame", "Color"];
  return csv([titles, ...rows]);
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

function fcpxml(markers, begin) {
  const time = (frames) => `${frames * PER}/${RATE}s`;
  const length = time(last + 1), [width, height] = data.filmSize;
  const list = markers.map(({ frame, name, note }) =>
    `            <marker start="${time(frame)}" duration="${time(1)}" value="${xml(name)}" note="${xml(note)}"/>\n`);
  return `${DECLARATION}<!DOCTYPE fcpxml>
<fcpxml version="1.8">
  <resources>
    <format id="r1" frameDuration="${PER}/${RATE}s" width="${width}" height="${height}"/>
    <asset id="r2" name="${xml(data.title)}" src="./${encodeURIComponent(data.title)}" start="0s" duration="${length}" hasVideo="1" format="r1"/>
  </resources>
  <library>
    <event name="vidcolor review">
      <project name="${xml(data.title)}">
        <sequence format="r1" duration="${length}" tcStart="${time(begin)}" tcFormat="NDF">
          <spine>
            <asset-clip ref="r2" name="${xml(data.title)}" offset="${time(begin)}" start="0s" duration="${length}" format="r1" tcFormat="NDF">
${list.join("")}            </asset-clip>
          </spine>
        </sequence>
      </project>
    </event>
  </library>
</fcpxml>
`;
}

function premiere(markers, begin) {
  // Final Cut Pro 7's XML, which Premiere imports.
  const rate = `<rate><timebase>${BASE}</timebase><ntsc>${PER === 1001 ? "TRUE" : "FALSE"}</ntsc></rate>`;
  const [width, height] = data.filmSize;
  const list = markers.map(({ frame, name, note }) =>
    `    <marker><name>${xml(name)}</name><comment>${xml(note)}</comment><in>${frame}</in><out>-1</out></marker>\n`);
  return `${DECLARATION}<!DOCTYPE xmeml>
<xmeml version="5">
  <sequence>
    <name>${xml(data.title)}</name>
    <duration>${last + 1}</duration>
    ${rate}
    <timecode>${rate}<string>${timecode(begin)}</string><frame>${begin}</frame><displayformat>NDF</displayformat></timecode>
    <media><video><format><samplecharacteristics>${rate}<width>${width}</width><height>${height}</height></samplecharacteristics></format><track/></video></media>
${list.join("")}  </sequence>
</xmeml>
`;
}
