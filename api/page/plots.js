// The three plots, drawn with uPlot. Each element keeps its plot as .plot, and the marked lines as .lines.

import { colour } from "./dom.js";

const HEIGHT = 260;

function range(count, step) {
  return Array.from({ length: count }, (_, index) => index * step);
}

export function axis(label, extra = {}) {
  return {
    label, stroke: colour("ink"), labelFont: "13px system-ui", font: "12px system-ui", labelSize: 22,
    grid: { stroke: colour("grid"), width: 1 }, ticks: { stroke: colour("grid"), width: 1 }, ...extra,
  };
}

export function draw(element, options, data) {
  element.plot?.destroy();
  element.replaceChildren();
  element.plot = new uPlot({ width: element.clientWidth, height: HEIGHT, ...options }, data, element);
  return element.plot;
}

/** Short numbers for axes: 0.002, 1.5, 2,000; powers of ten where they are tiny. */
function tick(value) {
  if (value === null) return "";
  const size = Math.abs(value);
  return size !== 0 && size < 1e-3 ? value.toExponential(0) : value.toLocaleString("en", { maximumFractionDigits: 4 });
}

export const ticks = (_, values) => values.map(tick);

/** Mark each line and name it above the plot, in as many rows as keep the names from overlapping. */
function markLines(lines) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    const ends = [];
    for (const line of lines.toSorted((a, b) => a.order - b.order)) {
      const x = plot.valToPos(line.order, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = line.colour;
      ctx.lineWidth = (line.strong ? 2 : 1) * ratio;
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const width = ctx.measureText(line.name).width;
      const left = Math.min(x + 3 * ratio, bbox.left + bbox.width - width);
      let row = ends.findIndex((end) => end < left);
      if (row < 0) row = ends.length;
      ends[row] = left + width + 6 * ratio;
      ctx.fillText(line.name, left, bbox.top - (row * 15 + 2) * ratio);
    }
    ctx.restore();
  };
}

/** series: [{label, step, amplitude, colour, dash}]; lines: [{name, order, colour, strong}]. */
export function drawEnvelope(element, series, lines) {
  const tables = series.map(({ step, amplitude }) => [range(amplitude.length, step), amplitude]);
  const last = tables[0][0].at(-1);
  draw(element, {
    height: HEIGHT + (element.clientWidth < 600 ? 80 : 40),
    padding: [element.clientWidth < 600 ? 84 : 50, 12, 0, 0], // room for the rows of names
    legend: { live: true },
    scales: { x: { time: false, range: (_, low, high) => (low === null ? [0, last] : [Math.max(low, 0), Math.min(high, last)]) }, y: { range: (_, low, high) => [0, high * 1.05 || 1] } },
    axes: [axis("order (multiples of the shaft rate)"), axis("amplitude (mean squared envelope = 1)", { size: 64, values: ticks })],
    series: [
      { label: "order", value: (_, value) => value?.toFixed(2) ?? "–" },
      ...series.map(({ label, colour, dash, width = 1.5 }) => ({
        label, stroke: colour, width, dash, spanGaps: true, points: { show: false },
        value: (_, value) => value?.toPrecision(3) ?? "–",
      })),
    ],
    hooks: { draw: [markLines(lines)] },
  }, tables.length > 1 ? uPlot.join(tables) : tables[0]);
  element.lines = lines;
}

/** Both edges of each stretch with the band between them: no extreme is lost. */
export function drawWaveform(element, { seconds_per_point: step, low, high }, from, to, unit) {
  const edge = { stroke: colour("soft"), width: 1, points: { show: false }, value: (_, v) => v?.toPrecision(4) ?? "–" };
  draw(element, {
    scales: { x: { time: false } },
    axes: [axis("time (s)"), axis(unit, { size: 64, values: ticks })],
    series: [
      { label: "time, s", value: (_, value) => value?.toFixed(3) ?? "–" },
      { label: "lowest", ...edge }, { label: "highest", ...edge },
    ],
    bands: [{ series: [2, 1], fill: `color-mix(in srgb, ${colour("soft")} 45%, transparent)` }],
  }, [range(low.length, step), low, high]).setScale("x", { min: from, max: to });
}

/** spectra: [{label, hertz_per_point, high, colour, dash}], the largest amplitude of each stretch. */
export function drawSpectrum(element, spectra, unit) {
  const positive = (values) => values.map((value) => (value > 0 ? value : null));
  const tables = spectra.map(({ hertz_per_point: step, high }) => [range(high.length, step), positive(high)]);
  draw(element, {
    scales: { x: { time: false }, y: { distr: 3 } },
    axes: [axis("frequency (Hz)", { values: ticks }), axis(`amplitude (${unit})`, { size: 72, values: ticks })],
    series: [
      { label: "Hz", value: (_, value) => value?.toFixed(0) ?? "–" },
      ...spectra.map(({ label, colour, dash }) => ({
        label, stroke: colour, dash, width: 1, spanGaps: true, points: { show: false },
        value: (_, value) => value?.toPrecision(3) ?? "–",
      })),
    ],
  }, tables.length > 1 ? uPlot.join(tables) : tables[0]);
}

/** Give each plot the width of its element again. */
export function fit() {
  for (const element of document.querySelectorAll(".plot")) {
    if (element.plot) element.plot.setSize({ width: element.clientWidth, height: element.plot.height });
  }
}
