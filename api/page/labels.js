// What the page calls each prediction; page.css has a colour of the same name for each.

export const NAMES = {
  Ball: "Rolling element fault", InnerRace: "Inner race fault", Normal: "No fault found",
  OuterRace: "Outer race fault", Unknown: "Unknown",
};
export const LETTERS = { Ball: "B", InnerRace: "I", Normal: "N", OuterRace: "O", Unknown: "?" };
