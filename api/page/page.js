// Connects the page's elements with what they do.

import { markStale } from "./answer.js";
import { byId } from "./dom.js";
import { showExamples } from "./examples.js";
import { copyCurl, saveJson, saveReport } from "./export.js";
import { clearErrors } from "./form.js";
import { showModel } from "./model.js";
import { fit } from "./plots.js";
import { SERVICE } from "./service.js";
import { chooseWindow, moveAlongStrip, redraw } from "./strip.js";
import { choose, chooseBaseline, drop, submit } from "./upload.js";
import { offerWatching } from "./watching.js";

byId("docs").href = `${SERVICE}/docs`;
byId("form").onsubmit = (event) => { event.preventDefault(); submit(); };
byId("file").onchange = ({ target }) => target.files.length && choose(target.files[0]);
byId("baseline").onchange = ({ target }) => chooseBaseline([...target.files]);
byId("forget").onclick = () => { byId("baseline").value = ""; chooseBaseline([]); byId("baseline").focus(); };
byId("form").oninput = ({ target }) => target.type !== "file" && markStale("The answer before your changes: press Diagnose for a new one.");
byId("api_key").onchange = () => { clearErrors(); showModel(); showExamples(); offerWatching(); };
byId("curl").onclick = copyCurl;
byId("json").onclick = saveJson;
byId("report").onclick = saveReport;
byId("whole").onclick = () => chooseWindow(null);
byId("strip").onkeydown = moveAlongStrip;
document.ondragover = (event) => { event.preventDefault(); byId("drop").classList.add("over"); };
document.ondragleave = () => byId("drop").classList.remove("over");
document.ondrop = drop;
addEventListener("resize", fit);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
showModel();
showExamples();
offerWatching();
