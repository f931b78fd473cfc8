// What the pages call predictions, levels and parts; page.css has a colour of the same name for each prediction.

export const NAMES = {
  Ball: "Rolling element fault", InnerRace: "Inner race fault", Normal: "No fault found",
  OuterRace: "Outer race fault", Unknown: "Unknown",
};
export const LETTERS = { Ball: "B", InnerRace: "I", Normal: "N", OuterRace: "O", Unknown: "?" };
export const LEVELS = ["alarm", "warning", "sensor", "notice", "learning", "normal"]; // the worst first; machines.css has a colour of each
export const PARTS = {
  OuterRace: "BPFO lines", InnerRace: "BPFI lines", Ball: "2 × BSF lines", "other lines": "other lines", impacts: "impacts", level: "level",
};
