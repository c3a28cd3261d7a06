/** One row per request of the first trial, under each scheduler: `run --requests FILE`. */
import type { SimulationConfig } from "../../core/configuration/config.js";
import type { Registry } from "../../core/configuration/registry.js";
import { simulate } from "../../core/trial/simulate.js";
import { toSeconds } from "../../core/numbers/units.js";
import { schedulerLabel } from "../tables/comparison.js";
import type { CsvFile, Row } from "../interface/report.js";
import type { Trials } from "../interface/trials.js";

const COLUMNS = [
  "scheduler",
  "request",
  "measured",
  "arrived_at_s",
  "prompt_tokens",
  "output_tokens",
  "started_at_s",
  "first_token_at_s",
  "finished_at_s",
  "queueing_delay_s",
  "ttft_s",
  "tbt_s",
  "rts_s",
];

/**
 * Trial 1 is simulated once more for its table: records hold only what trials come to. Further columns, where they
 * apply: the client of a closed loop, the class of a discipline that has them, and how often the request was preempted
 * where KV memory is limited.
 */
export async function requestFile(
  path: string,
  configs: readonly SimulationConfig[],
  seed: number,
  trials: Pick<Trials, "goesOn">,
  registry?: Registry,
): Promise<CsvFile> {
  const rows: Row[] = [];
  let hasClasses = false;
  let hasClients = false;
  let hasWaits = false;
  let hasMemory = false;
  for (const config of configs) {
    if ((await trials.goesOn?.()) === false) break;
    const { outcome } = simulate(config, { seed, trial: 1, force: true, ...(registry && { registry }) });
    const { sequences } = outcome.shared;
    const { waiting } = outcome.replicas[0];
    hasClasses ||= waiting.classOf !== undefined;
    const { arrivedAt, promptTokens, outputTokens, clients } = sequences.requests;
    hasClients ||= clients?.clientOf !== undefined;
    hasWaits ||= clients?.dueAt !== undefined;
    const { preemptions } = sequences;
    hasMemory ||= preemptions !== null;
    const perGap = config.conventions.tbt === "gaps" ? 1 : 0;
    for (let i = 0; i < outcome.arrived; i++) {
      const arrival = arrivedAt[i];
      const first = sequences.firstTokenAt[i];
      const finish = sequences.finishedAt[i];
      const output = outputTokens[i];
      rows.push({
        scheduler: schedulerLabel(config),
        request: i,
        measured: i >= outcome.firstMeasured ? 1 : 0,
        arrived_at_s: toSeconds(arrival),
        prompt_tokens: promptTokens[i],
        output_tokens: output,
        started_at_s: toSeconds(sequences.startedAt[i]),
        first_token_at_s: output > 0 ? toSeconds(first) : null,
        finished_at_s: toSeconds(finish),
        queueing_delay_s: toSeconds(sequences.startedAt[i] - arrival),
        ttft_s: output > 0 ? toSeconds(first - arrival) : null,
        tbt_s: output > perGap ? toSeconds((finish - first) / (output - perGap)) : null,
        rts_s: toSeconds(finish - arrival),
        ...(clients?.dueAt && { client_wait_s: toSeconds(arrival - clients.dueAt[i]) }),
        ...(clients?.clientOf && { client: clients.clientOf[i] }),
        ...(waiting.classOf && { class: waiting.classOf(i) }),
        ...(preemptions && { preemptions: preemptions[i] }),
      });
    }
  }
  const columns = [
    ...COLUMNS,
    ...(hasWaits ? ["client_wait_s"] : []),
    ...(hasClients ? ["client"] : []),
    ...(hasClasses ? ["class"] : []),
    ...(hasMemory ? ["preemptions"] : []),
  ];
  return { path, under: "current", columns, rows };
}
