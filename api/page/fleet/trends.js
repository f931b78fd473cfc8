// A point's trends, one above the other over the same time: severity, what grew, RMS.

import { colour } from "../dom.js";
import { PARTS } from "../labels.js";
import { axis, draw, ticks } from "../plots.js";

const HEIGHT = 210;
const LEAST = 1.8; // severity that the plot reaches at least, so that all levels are seen
const COLOURS = ["OuterRace", "InnerRace", "Ball", "Unknown", "warning", "ink"]; // of PARTS
const DASHES = [[], [], [], [6, 3], [2, 3], [10, 4]]; // colour alone is not for everybody
const NEAR = 8; // px between press and release that are a choice and no drag

const ends = (trend) => trend.map(({ end }) => end);
const times = (trend) => trend.map(({ begin, end }) => (Date.parse(begin) + Date.parse(end)) / 2000);

/** What all plots over time share: axes, zoom by dragging, a recording by a choice; moments are those of its points. */
export function overTime(label, act, moments, extra = {}) {
  let dragged = false;
  return {
    height: HEIGHT,
    padding: [10, 12, 0, 0],
    cursor: { drag: { x: true, y: false, setScale: false, click: () => {} }, sync: { key: "time" } },
    axes: [axis(undefined, { labelSize: 0 }), axis(label, { size: 64, values: ticks })],
    ...extra,
    hooks: {
      ...extra.hooks,
      setSelect: [(plot) => {
        const { left, width } = plot.select;
        dragged = width > NEAR; // near an edge uPlot takes a click for a drag of some pixels
        if (dragged) act.zoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
        plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
      }],
      ready: [(plot) => {
        plot.over.addEventListener("mousedown", () => { dragged = false; });
        plot.over.addEventListener("click", () => { if (!dragged && plot.cursor.idx !== null) act.choose(moments[plot.cursor.idx]); });
      }],
    },
  };
}

const timeSeries = { label: "time", value: (_, at) => (at === null || at === undefined ? "–" : new Date(1000 * at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" })) };
const value = (_, each) => each?.toPrecision(3) ?? "–";
const edge = (label, name, width = 1.5) => ({ label, stroke: colour(name), width, points: { show: false }, value });

export function drawSeverity(element, trend, thresholds, marks, act) {
  const high = trend.map(({ severity_high }) => severity_high);
  const top = Math.max(LEAST, ...high) * 1.08;
  draw(element, overTime("severity", act, ends(trend), {
    height: HEIGHT + 30,
    padding: [22, 12, 0, 0],
    scales: { x: { time: true }, y: { range: () => [0, top] } },
    series: [timeSeries, edge("lowest", "soft", 1), edge("highest", "accent")],
    bands: [{ series: [2, 1], fill: `color-mix(in srgb, ${colour("accent")} 25%, transparent)` }],
    hooks: { draw: [drawThresholds(thresholds), drawMarks(marks)] },
  }), [times(trend), trend.map(({ severity_low }) => severity_low), high]);
  element.setAttribute("aria-label", `Severity over time, highest ${Math.max(...high).toFixed(2)}; ${marks.length} marks`);
  element.marks = marks;
}

export function drawParts(element, trend, act) {
  const names = Object.keys(PARTS);
  const series = names.map((name, place) => ({ ...edge(PARTS[name], COLOURS[place]), dash: DASHES[place] }));
  const values = names.map((name) => trend.map(({ parts }) => parts[name]));
  const top = Math.max(1.2, ...values.flat()) * 1.08;
  draw(element, overTime("growth (1 is a warning)", act, ends(trend), {
    scales: { x: { time: true }, y: { range: () => [Math.min(-0.2, ...values.flat()), top] } },
    series: [timeSeries, ...series],
    hooks: { draw: [drawThresholds({ warning: 1 })] },
  }), [times(trend), ...values]);
  element.setAttribute("aria-label", "Growth of each part's lines, impacts and level over time");
}

export function drawRms(element, trend, unit, act) {
  draw(element, overTime(`RMS (${unit || "recording’s unit"})`, act, ends(trend), {
    scales: { x: { time: true }, y: { range: (_, low, high) => [0, (high || 1) * 1.08] } },
    series: [timeSeries, edge("lowest", "soft", 1), edge("highest", "accent")],
    bands: [{ series: [2, 1], fill: `color-mix(in srgb, ${colour("accent")} 25%, transparent)` }],
  }), [times(trend), trend.map(({ rms_low }) => rms_low), trend.map(({ rms_high }) => rms_high)]);
  element.setAttribute("aria-label", "RMS over time");
}

/** Draw a dashed line at each threshold, named at its right end. */
function drawThresholds(thresholds) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui`;
    ctx.textAlign = "right";
    ctx.textBaseline = "bottom";
    let last = Infinity, shift = 0;
    for (const [name, at] of Object.entries(thresholds)) {
      const y = plot.valToPos(at, "y", true);
      shift = last - y < 15 * ratio ? shift + 60 * ratio : 0; // names that would overlap stand side by side
      last = y;
      if (y < bbox.top) continue;
      ctx.strokeStyle = ctx.fillStyle = colour(name);
      ctx.lineWidth = ratio;
      ctx.setLineDash([5 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.fillText(name, bbox.left + bbox.width - 4 * ratio - shift, y - ratio);
    }
    ctx.restore();
  };
}

/** Draw a sign at the moment of each alarm and note. */
function drawMarks(marks) {
  return (plot) => {
    const { ctx, bbox } = plot;
    const ratio = devicePixelRatio;
    ctx.save();
    ctx.font = `${13 * ratio}px system-ui`;
    ctx.textAlign = "center";
    ctx.textBaseline = "bottom";
    for (const { at, sign, level } of marks) {
      const x = plot.valToPos(at, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = ctx.fillStyle = colour(level ?? "soft");
      ctx.fillText(sign, x, bbox.top - 2 * ratio);
      ctx.globalAlpha = 0.5;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      ctx.globalAlpha = 1;
    }
    ctx.restore();
  };
}
