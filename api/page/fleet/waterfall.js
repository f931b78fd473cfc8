// Combs of lines over time: a column for each recording, orders from bottom to top.

import { byId, colour } from "../dom.js";
import { draw } from "../plots.js";
import { overTime } from "./trends.js";

const HEIGHT = 320;
const TALLEST = 0.8; // natural logarithm; growth that has the full colour
const DECIBELS = 20 / Math.LN10;
const LINES = { bpfo: ["BPFO", "OuterRace", 1], bpfi: ["BPFI", "InnerRace", 1], bsf: ["2 × BSF", "Ball", 2] };
const TICKS = [0.5, 1, 2, 3, 5, 10, 20];

/** combs: {taken_at, orders, step, zero, healthy, heights (base64)}; faultOrders: {bpfo, bpfi, bsf}. */
export function drawWaterfall(element, combs, faultOrders, act) {
  const times = combs.taken_at.map((at) => Date.parse(at) / 1000);
  if (!times.length) return;
  const picture = paint(combs);
  const low = combs.orders[0], high = combs.orders.at(-1);
  byId("scale_ends").textContent = `0 to ${(DECIBELS * TALLEST).toFixed(0)} dB and more.`;
  const options = overTime("order (multiples of the shaft rate)", act, combs.taken_at, {
    height: HEIGHT,
    legend: { show: false },
    scales: { x: { time: true }, y: { distr: 3, range: () => [low, high] } },
    series: [{}, { points: { show: false }, stroke: "transparent" }],
    hooks: { drawAxes: [putPicture(picture, times, low, high)], draw: [nameLines(faultOrders)] },
  });
  options.axes[1] = { ...options.axes[1], splits: () => TICKS, filter: (_, splits) => splits, values: (_, splits) => splits.map(String), grid: { show: false } };
  options.axes[0] = { ...options.axes[0], grid: { show: false } };
  draw(element, options, [times, times.map(() => low)]);
  element.setAttribute("aria-label", `Combs of lines of ${times.length} recordings, orders ${low} to ${high.toFixed(0)}`);
}

/** Return a canvas with a pixel for each recording and order. */
function paint({ taken_at, orders, step, zero, healthy, heights }) {
  const bytes = Uint8Array.from(atob(heights), (each) => each.charCodeAt(0));
  const canvas = Object.assign(document.createElement("canvas"), { width: taken_at.length, height: orders.length });
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const [from, to] = [colour("card"), colour("heat")].map(parse);
  for (let column = 0; column < canvas.width; column += 1) {
    for (let row = 0; row < canvas.height; row += 1) {
      const growth = (bytes[column * canvas.height + row] - zero) * step - healthy[row];
      const share = Math.min(Math.max(growth / TALLEST, 0), 1);
      const place = 4 * ((canvas.height - 1 - row) * canvas.width + column);
      for (let part = 0; part < 3; part += 1) image.data[place + part] = from[part] + share * (to[part] - from[part]);
      image.data[place + 3] = 255;
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Red, green and blue of #rgb or #rrggbb. */
function parse(text) {
  const digits = text.slice(1).length === 3 ? [...text.slice(1)].map((each) => each + each).join("") : text.slice(1);
  return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16));
}

/** Each column reaches from its recording to the next; orders are equally far apart on the logarithmic axis. */
function putPicture(picture, times, low, high) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const top = plot.valToPos(high, "y", true), bottom = plot.valToPos(low, "y", true);
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.imageSmoothingEnabled = false;
    const usual = times.length > 1 ? (times.at(-1) - times[0]) / (times.length - 1) : 3600;
    times.forEach((time, column) => {
      const next = Math.min(times[column + 1] ?? Infinity, time + 3 * usual); // a gap stays empty
      const left = plot.valToPos(time, "x", true);
      const width = Math.max(plot.valToPos(next === Infinity ? time + usual : next, "x", true) - left, 1) + 0.5;
      ctx.drawImage(picture, column, 0, 1, picture.height, left, top, width, bottom - top);
    });
    ctx.restore();
  };
}

function nameLines(orders) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `600 ${12 * ratio}px system-ui`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    const ends = []; // of the names, each at its height: those that would overlap stand side by side
    for (const [key, [name, fault, times]] of Object.entries(LINES)) {
      const y = plot.valToPos(times * orders[key], "y", true);
      if (!(y >= bbox.top && y <= bbox.top + bbox.height)) continue; // nor one that is not known
      const left = Math.max(bbox.left + 4 * ratio, ...ends.filter((end) => Math.abs(end.y - y) < 17 * ratio).map(({ x }) => x + 6 * ratio));
      const width = ctx.measureText(name).width + 6 * ratio;
      ends.push({ y, x: left + width });
      ctx.strokeStyle = colour(fault);
      ctx.lineWidth = 2 * ratio;
      for (const [from, to] of [[bbox.left, left + width], [bbox.left + bbox.width - 16 * ratio, bbox.left + bbox.width]]) { // not over what it names
        ctx.beginPath();
        ctx.moveTo(from, y);
        ctx.lineTo(to, y);
        ctx.stroke();
      }
      ctx.fillStyle = colour("card");
      ctx.fillRect(left, y - 17 * ratio, width, 15 * ratio);
      ctx.fillStyle = colour(fault);
      ctx.fillText(name, left + 3 * ratio, y - 3 * ratio);
    }
    ctx.restore();
  };
}
