/** The numbers: the sentence that answers, the gauge of the load, the tables; made by the command line's own functions. */
import { METRICS } from "../core/measures/metrics.js";
import {
  comparisonTable,
  differenceTable,
  headline,
  schedulerLabel,
} from "../experiments/tables/comparison.js";
import type { Study } from "../experiments/interface/study.js";
import { capacityBound, exactBoundary, loadNotes } from "../experiments/load/capacity.js";
import { plain, scaleOf, withInterval } from "../experiments/cells/quantity.js";
import { arrivalRate } from "../experiments/cells/rows.js";
import type { TrialRecords } from "../experiments/interface/trials.js";
import { summarize } from "../stats/index.js";
import { element, table, the } from "./elements.js";
import { showIntervals } from "./intervals.js";

/** The load against what theory says can be served. */
export function showLoad(study: Study): void {
  const rate = arrivalRate(study.config);
  const bound = capacityBound(study.config);
  const meter = the<HTMLMeterElement>("load");
  const known = Number.isFinite(bound);
  meter.hidden = !known;
  const share = rate / bound;
  meter.value = known ? Math.min(share, 1.2) : 0;
  const exact = study.schedulers.flatMap((scheduler) => {
    const config = { ...study.config, scheduler };
    const star = exactBoundary(config);
    return Number.isFinite(star)
      ? [`${plain((100 * rate) / star)} % of ${schedulerLabel(config)}'s λ* = ${plain(star)} per s`]
      : [];
  });
  const text = known
    ? `λ = ${plain(rate)} per s is ${plain(100 * share)} % of λ* ≤ ${plain(bound)} per s, the most that any policy can serve${exact.length > 0 ? `; ${exact.join("; ")}` : ""}`
    : `λ = ${plain(rate)} per s; no formula gives the capacity of this service-time model`;
  meter.textContent = text;
  the("load-text").textContent = text;
}

/** All that the trials so far say. */
export function showResults(study: Study, records: TrialRecords): void {
  const labels = study.schedulers.map((scheduler) => schedulerLabel({ scheduler }));
  the("answer").textContent = headline(labels, records);
  const { columns, rows } = comparisonTable("", labels, records);
  const tables = [table("Means over trials with 95 % intervals", columns, rows)];
  if (labels.length > 1 && records.trials > 1) {
    const differences = differenceTable(labels, records);
    tables.push(table(differences.title, differences.columns, differences.rows));
  }
  the("tables").replaceChildren(...tables.map((one) => element("div", { class: "scroll" }, one)));
  showIntervals(labels, records);
  the("notes").replaceChildren(...loadNotes(study, labels, records).map((note) => element("li", {}, note)));
  the("metrics").replaceChildren(allMetrics(labels, records));
}

/** Every metric; the cells also hold the mean at full precision, as the JSON document of `llmsim run` prints it. */
function allMetrics(labels: readonly string[], records: TrialRecords): HTMLTableElement {
  const all = table("", ["metric", ...labels], []);
  const body = all.tBodies[0];
  for (const { name, unit, summary } of METRICS.filter(({ needs }) => !needs)) {
    const summaries = labels.map((_, i) => summarize(records.metric(i, name)));
    const scale = scaleOf(
      unit,
      summaries.map(({ mean }) => mean),
    );
    const row = element("tr", {}, element("th", { scope: "row", title: summary }, name));
    summaries.forEach((one, i) =>
      row.append(
        element(
          "td",
          { "data-metric": name, "data-scheduler": labels[i], "data-mean": String(one.mean) },
          `${withInterval(one, scale)} ${scale.unit}`.trim(),
        ),
      ),
    );
    body.append(row);
  }
  return all;
}
