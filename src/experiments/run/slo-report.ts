/** What a run says of its SLO: goodput and attainment, and whether what is asked of the run holds. */
import { summarize } from "../../stats/index.js";
import { assertionTable, jsonAssertions, judge } from "../tables/assertions.js";
import type { Table } from "../interface/report.js";
import type { Study } from "../interface/study.js";
import { plain, withInterval } from "../cells/quantity.js";
import type { TrialRecords } from "../interface/trials.js";

interface SloReport {
  readonly answer: readonly string[];
  readonly tables: readonly Table[];
  readonly json: Readonly<Record<string, unknown>>;
}

const PER_CENT = { factor: 100, unit: "%" };

/** Nothing for a study without an SLO. */
export function sloReport(study: Study, labels: readonly string[], records: TrialRecords): SloReport {
  const { config, targets = [] } = study;
  const judged = judge(targets, labels, records);
  const attainment = labels.map((_, i) => summarize(records.metric(i, "slo_attainment")));
  const goodput = labels.map((_, i) => summarize(records.metric(i, "goodput_qps")));
  const requests: Table = {
    title: "SLO of each request",
    columns: ["scheduler", "attainment %", "goodput/s"],
    rows: labels.map((label, i) => [label, withInterval(attainment[i], PER_CENT), withInterval(goodput[i])]),
  };
  const said = labels.map(
    (label, i) =>
      `${label} for ${withInterval(attainment[i], PER_CENT).replace("±", "± ")} % (goodput ${plain(goodput[i].mean)} per s)`,
  );
  return {
    answer: config.slo ? [`requests meet the SLO under ${said.join(", ")}`] : [],
    tables: [
      ...(config.slo ? [requests] : []),
      ...(judged.length > 0 ? [{ ...assertionTable(judged, "target"), title: "SLO of the run" }] : []),
    ],
    json: judged.length > 0 ? { targets: jsonAssertions(judged) } : {},
  };
}
