// What of an answer is plotted: the recording, the chosen window and the healthy baseline, with the bearing's lines.

import { byId, colour, number } from "./dom.js";
import { drawEnvelope, drawSpectrum, drawWaveform } from "./plots.js";

const DASHED = [6, 4];

/** Draw all plots; chosenWindow is an index into the answer's windows, null for the whole recording. */
export function drawAnswer(answer, chosenWindow) {
  const { series, recording, window_seconds: seconds } = answer;
  const unit = recording.unit || "recording’s unit";
  const start = chosenWindow === null ? null : answer.windows[chosenWindow].start;
  const end = start === null ? recording.seconds : start + seconds;
  byId("envelope").closest(".card").hidden = !series.envelope_spectrum; // the shaft is too slow for it to show lines
  byId("spectrum").closest(".card").hidden = !series.spectrum;
  if (series.envelope_spectrum) drawEnvelope(byId("envelope"), envelopes(answer, chosenWindow), linesOf(answer));
  if (series.spectrum) drawSpectrum(byId("spectrum"), spectra(answer), unit);
  drawWaveform(byId("waveform"), series.waveform, start ?? 0, end, unit);
  describePlots(answer, start, end);
}

function envelopes({ series, windows, baseline_series: healthy }, chosenWindow) {
  const { orders_per_point: step, amplitude } = series.envelope_spectrum;
  const shown = [{ label: "this recording", step, amplitude, colour: colour("ink"), width: 1.5 }];
  if (chosenWindow !== null) shown.push({ label: "the chosen window", step, amplitude: windows[chosenWindow].envelope_spectrum, colour: colour("window"), width: 1 });
  if (healthy) shown.push({ label: "healthy", step: healthy.envelope_spectrum.orders_per_point, amplitude: healthy.envelope_spectrum.amplitude, colour: colour("healthy"), dash: DASHED });
  return shown;
}

function spectra({ series, baseline_series: healthy }) {
  const shown = [{ label: "this recording", ...series.spectrum, colour: colour("ink") }];
  if (healthy) shown.push({ label: "healthy", ...healthy.spectrum, colour: colour("healthy"), dash: DASHED });
  return shown;
}

/** The shaft, the cage, and each fault's line with its harmonics as far as the envelope spectrum reaches. */
function linesOf({ agreement, recording, series }) {
  const { orders_per_point: step, amplitude } = series.envelope_spectrum;
  const shaft = { name: "shaft", order: 1, colour: colour("soft"), strong: false };
  const cage = { name: "FTF", order: recording.orders.ftf, colour: colour("soft"), strong: false };
  const harmonics = agreement.lines.flatMap(({ fault, name, order, stands_out }) => {
    const named = (harmonic) => (name === "2 x BSF" ? `${2 * harmonic}×BSF` : harmonic > 1 ? `${harmonic}×${name}` : name);
    return Array.from({ length: Math.floor(step * amplitude.length / order) }, (_, index) => ({
      name: named(index + 1), order: (index + 1) * order, colour: colour(fault), strong: stands_out,
    }));
  });
  return [cage, shaft, ...harmonics];
}

function describePlots({ agreement, baseline_series: healthy, recording }, start, end) {
  const band = agreement.band.map((edge) => number(edge)).join(" to ");
  const dashed = healthy ? "; dashed: the healthy baseline" : "";
  byId("envelope_note").textContent = `Squared envelope of ${band} Hz, the band nearest to where a fault’s lines show best, mean over all windows${dashed}. Drag to zoom, double-click to return.`;
  byId("envelope").setAttribute("aria-label", `Envelope spectrum over shaft orders. ${agreement.explanation}.`);
  byId("waveform_note").textContent = start === null ? "Lowest and highest value of each stretch." : `The chosen window, ${start.toFixed(2)} to ${end.toFixed(2)} s.`;
  byId("waveform").setAttribute("aria-label", `Waveform, ${number(recording.seconds, 3)} seconds.`);
  byId("spectrum_note").textContent = `Largest peak amplitude of each stretch, mean power of all windows${dashed}.`;
  byId("spectrum").setAttribute("aria-label", `Amplitude spectrum up to ${number(recording.sampling_rate / 2)} hertz.`);
}
