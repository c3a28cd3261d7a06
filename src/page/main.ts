/** The explorer's page: settings in the address, trials in workers, and what they come to as it comes. */
import type { PageData } from "../experiments/explore/page-data.js";
import type { Issue } from "../core/errors.js";
import type { Study } from "../experiments/interface/study.js";
import type { SimulationConfig } from "../core/configuration/config.js";
import { TrialRecords } from "../experiments/interface/trials.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { the } from "./elements.js";
import { showLoad, showResults } from "./results.js";
import { addressOf, commandOf, initial, settingsFrom, studyOf, type Settings } from "./settings.js";
import { type Progress, Simulation } from "./simulation.js";
import { Timeline } from "./timeline.js";

/** Iterations a scheduler that the timeline records. */
const RECORDED = 10_000;

/** Time between two drawings of the trials that follow the first. */
const REDRAW_MS = 120;

const data = JSON.parse(the("data").textContent ?? "") as PageData;
let settings: Settings = initial(data);
let study: Study | undefined;
let latest: Progress | undefined;
let isAsked = false;

const curves = new Curves();
const timeline = new Timeline();
const simulation = new Simulation(the("worker").textContent ?? "", {
  progressed: (progress) => {
    latest = progress;
    ask();
  },
  recorded: (lanes) => timeline.show(lanes),
  failed: (message) => {
    the("status").textContent = `stopped: ${message}`;
    finish("failed");
  },
});
const controls = new Controls(data, settings, (changed) => {
  history.replaceState(null, "", addressOf(changed));
  simulate(changed, []);
});

/** The first trial is drawn at once; the others come faster than anybody reads, and only the newest are drawn. */
function ask(): void {
  if (isAsked) return;
  isAsked = true;
  const isFirst = latest?.done === 1;
  const soon = (act: () => void): unknown =>
    isFirst ? requestAnimationFrame(act) : setTimeout(act, REDRAW_MS);
  soon(() => {
    isAsked = false;
    if (!study || !latest) return;
    showResults(study, latest.records);
    curves.show(study, latest);
    const { done, of } = latest;
    the("status").textContent = done < of ? `trial ${done} of ${of} …` : `${of} trial${of === 1 ? "" : "s"}`;
    document.body.dataset.trials = String(latest.records.trials);
    if (done === of) finish("done");
  });
}

function finish(state: string): void {
  document.body.dataset.state = state;
  the<HTMLButtonElement>("cancel").hidden = true;
}

/** New settings: what they come to, and their problems; with problems the last results stay and are told apart. */
function simulate(changed: Settings, more: readonly Issue[]): void {
  settings = changed;
  const found = studyOf(settings, data);
  const issues = [...more, ...found.issues];
  controls.show(settings, found.study, issues, data);
  const isSound = found.study !== undefined && issues.length === 0;
  document.body.dataset.sound = String(isSound);
  the("command").textContent = isSound ? commandOf(settings, data) : "";
  the<HTMLButtonElement>("copy").disabled = !isSound;
  if (!isSound) {
    simulation.cancel();
    the("status").textContent =
      "not simulated: these settings have problems; what is shown is of the last that had none";
    finish("refused");
    return;
  }
  study = found.study!;
  showLoad(study);
  start(study, found.configs);
}

function start(of: Study, configs: readonly SimulationConfig[]): void {
  document.body.dataset.state = "running";
  the("status").textContent = "simulating …";
  the<HTMLButtonElement>("cancel").hidden = false;
  latest = undefined;
  simulation.run({ configs, seed: of.seed, trials: of.trials, record: RECORDED });
}

/** The result that came with the page, while the first trials run. */
function showStored(): void {
  const found = studyOf(initial(data), data);
  if (!found.study) return;
  const { trials, values } = data.stored;
  const { configs } = found;
  const numbers = Float64Array.from(values, (value) => value ?? NaN);
  showResults(
    found.study,
    new TrialRecords({ label: "stored", configs, seed: found.study.seed, trials }, numbers),
  );
  document.body.dataset.stored = "shown";
}

function fromAddress(): void {
  const { settings: asked, issues } = settingsFrom(location.hash, data);
  simulate(asked, issues);
}

the("version").textContent = `llmsim ${data.version}`;
the("cancel").addEventListener("click", () => {
  simulation.cancel();
  the("status").textContent = "cancelled";
  finish("cancelled");
});
the("reset").addEventListener("click", () => {
  history.replaceState(null, "", location.pathname + location.search);
  simulate(initial(data), []);
});
the("copy").addEventListener("click", () => {
  const text = the("command").textContent ?? "";
  navigator.clipboard.writeText(text).then(
    () => (the("copied").textContent = "copied"),
    () => {
      // A page from a file may be refused the clipboard: the command is selected, to be copied by hand.
      getSelection()?.selectAllChildren(the("command"));
      the("copied").textContent = "selected: press Ctrl-C";
    },
  );
});
addEventListener("hashchange", fromAddress);
if (addressOf(settingsFrom(location.hash, data).settings) === addressOf(initial(data))) showStored();
fromAddress();
