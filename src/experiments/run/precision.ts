/**
 * `--precision`: trials are added, the same for every scheduler, until each one's interval of a metric is narrow
 * enough (the rule and its sources: stats/sequential.ts), and it is said what that took.
 */
import type { Issue } from "../../core/errors.js";
import { LEAST_PILOT, lookAt, widthToStop, type Look } from "../../stats/index.js";
import { HEADLINE } from "../tables/comparison.js";
import type { ExperimentOptions, OptionsOf } from "../interface/options.js";
import type { Study } from "../interface/study.js";
import { TrialRecords, type TrialRequest, type Trials } from "../interface/trials.js";

const DEFAULT_MOST = 10_000;
const MOST_TRIALS = 1_000_000;

export const PRECISION_OPTIONS = [
  {
    key: "precision",
    flag: "--precision <x>",
    kind: "number",
    min: 0,
    above: true,
    max: 1,
    below: true,
    summary: "add trials until the 95 % interval is this narrow, e.g. 0.01 for ±1 %; --ntrials come first",
  },
  {
    key: "precisionMetric",
    flag: "--precision-metric <name>",
    kind: "metric",
    summary: `the metric that --precision is about, under every scheduler (default: ${HEADLINE})`,
  },
  {
    key: "maxTrials",
    flag: "--max-trials <n>",
    kind: "integer",
    min: LEAST_PILOT,
    max: MOST_TRIALS,
    summary: `where --precision gives up (default: ${DEFAULT_MOST})`,
  },
] as const satisfies ExperimentOptions;

type Options = OptionsOf<typeof PRECISION_OPTIONS>;

/** What is asked for. */
export interface PrecisionSettings {
  readonly metric: string;
  /** Relative error, in (0, 1). */
  readonly target: number;
  /** Trials at most. */
  readonly most: number;
}

/** The settings that the options make; undefined without `--precision`. */
export function precisionOf({
  precision,
  precisionMetric,
  maxTrials,
}: Options): PrecisionSettings | undefined {
  if (precision === null) return undefined;
  return { metric: precisionMetric ?? HEADLINE, target: precision, most: maxTrials ?? DEFAULT_MOST };
}

/** Contradictions between the options, and with the study. */
export function checkPrecision(
  { precision, precisionMetric, maxTrials }: Partial<Options>,
  study: Study | undefined,
): Issue[] {
  const issues: Issue[] = [];
  if (precision === null) {
    for (const [flag, value] of [
      ["--precision-metric", precisionMetric],
      ["--max-trials", maxTrials],
    ] as const)
      if (value !== null && value !== undefined)
        issues.push({ key: flag, message: `${flag} needs --precision (e.g. --precision 0.01)` });
    return issues;
  }
  const most = maxTrials === null ? DEFAULT_MOST : maxTrials;
  if (study === undefined || most === undefined) return issues;
  if (study.trials < LEAST_PILOT || study.trials > most)
    issues.push({
      key: "trials",
      message: `invalid trials: ${study.trials} (the pilot of --precision: at least ${LEAST_PILOT} and at most --max-trials, ${most})`,
    });
  return issues;
}

/** Trials that were run until they sufficed, and every look at them; the first is at the pilot. */
export interface PreciseRun {
  readonly records: TrialRecords;
  readonly looks: readonly Look[];
}

/**
 * Runs the pilot and then as many trials as the looks ask for.
 * @param request the pilot; further trials follow its last one
 * @param labels of its configurations
 * @param tell hears after each look but the last how far it is
 */
export async function runToPrecision(
  trials: Trials,
  request: TrialRequest,
  settings: PrecisionSettings,
  labels: readonly string[],
  tell: (line: string) => void,
): Promise<PreciseRun> {
  const first = request.first ?? 1;
  const looks: Look[] = [];
  const parts: TrialRecords[] = [];
  let records = new TrialRecords({ ...request, trials: 0 });
  let wanted = request.trials;
  while (records.trials < wanted) {
    const have = records.trials;
    const label = have === 0 ? request.label : `trials ${have + 1} to ${wanted}`;
    parts.push(await trials.run({ ...request, label, first: first + have, trials: wanted - have }));
    records = TrialRecords.joined({ ...request, trials: wanted }, parts);
    const whole = records;
    const look = lookAt(
      labels.map((_, i) => whole.metric(i, settings.metric)),
      settings,
    );
    looks.push(look);
    wanted = look.next;
    if (look.next > look.trials) {
      const rest = Math.min(look.forecast, settings.most) - look.trials;
      tell(
        progressLine(look, settings, labels, trials.secondsFor?.({ ...request, trials: Math.max(1, rest) })),
      );
    }
  }
  return { records, looks };
}

/** `1.04` for a share of 0.01043: per cent with three digits. */
const inPercent = (share: number): string => String(Number((100 * share).toPrecision(3)));

function progressLine(
  { trials, reached, widest, forecast }: Look,
  { metric, target, most }: PrecisionSettings,
  labels: readonly string[],
  seconds: number | undefined,
): string {
  const whose = labels.length > 1 ? ` (${labels[widest]})` : "";
  const needed = forecast > most ? `, but --max-trials is ${most}` : "";
  const time = seconds === undefined ? "" : `, ${duration(seconds)} more`;
  return `precision: ${metric} ±${inPercent(reached)} % after ${trials} trials${whose}; ±${inPercent(target)} % takes about ${inAll(forecast)}${needed}${time}`;
}

const duration = (seconds: number): string =>
  seconds < 120 ? `about ${Math.ceil(seconds)} s` : `about ${Math.round(seconds / 60)} min`;

const inAll = (trials: number): string => (trials > MOST_TRIALS ? "over a million" : String(trials));

/** The sentence of the answer: what was reached, with how many trials, and what to do when it was not. */
export function precisionAnswer(
  { records, looks }: PreciseRun,
  { metric, target }: PrecisionSettings,
  labels: readonly string[],
): string {
  const { trials, reached, widest, forecast, isMet } = looks[looks.length - 1];
  const whose = labels.length > 1 ? ` under ${labels[widest]}` : "";
  if (!Number.isFinite(reached)) {
    // No metric is negative: a mean of 0 is a row of zeros.
    const values = records.metric(widest, metric).filter(Number.isFinite).length;
    const why = values === 0 ? "has no value" : values === 1 ? "has one value" : "is 0";
    return `${metric} ${why} in all ${trials} trials${whose}: it has no relative half-width to wait for (choose another --precision-metric)`;
  }
  const asked = `asked: ±${inPercent(target)} %`;
  if (!isMet)
    return `${metric} is known only to ±${inPercent(reached)} %${whose} (${asked}) after ${trials} trials, the most allowed; about ${inAll(forecast)} would do (--max-trials)`;
  const every = labels.length > 1 ? " or better under every scheduler" : "";
  const told =
    looks.length > 1
      ? `the pilot of ${looks[0].trials} forecast about ${inAll(looks[0].forecast)}`
      : "the pilot sufficed";
  return `${metric} is known to ±${inPercent(reached)} %${every} (${asked}) after ${trials} trials; ${told}`;
}

/** Trials that had no value for the metric, if any. */
export function precisionNotes(
  { records }: PreciseRun,
  { metric }: PrecisionSettings,
  labels: readonly string[],
): string[] {
  return labels.flatMap((label, i) => {
    const missing = records.metric(i, metric).filter((value) => !Number.isFinite(value)).length;
    return missing === 0
      ? []
      : [`precision: ${missing} of ${records.trials} trials of ${label} have no ${metric} and are left out`];
  });
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** What the JSON document says of it. */
export function jsonPrecision(
  { looks }: PreciseRun,
  { metric, target, most }: PrecisionSettings,
  labels: readonly string[],
): Record<string, unknown> {
  const last = looks[looks.length - 1];
  return {
    metric,
    target,
    stops_at: widthToStop(target),
    met: last.isMet,
    reached: orNull(last.reached),
    widest: labels[last.widest],
    trials: last.trials,
    pilot: looks[0].trials,
    max_trials: most,
    forecast: orNull(looks[0].forecast),
    looks: looks.map(({ trials, reached, forecast }) => ({
      trials,
      reached: orNull(reached),
      forecast: orNull(forecast),
    })),
  };
}
