/** `speed`: nanoseconds per request of each scheduler, beside plain C in the same minutes, and where they go. */
import { cReference } from "./c-reference.js";
import { contender, OURS } from "./contender.js";
import { demo2, SCHEDULERS } from "./demo2.js";
import { assertMeasured, mean, median, table } from "./figures.js";

export const summary = "ns per request of the three schedulers against plain C, and what they are spent on";

const PARTS = ["total", "draw", "loop", "statistics"];
/** Both estimate the same means; chance alone takes them further apart once in some million comparisons. */
const MOST_STANDARD_ERRORS = 5;

export async function run({ isSmoke, say }) {
  const size = isSmoke
    ? { warmUps: 1, rounds: 1, seconds: 500, trials: 10 }
    : { warmUps: 12, rounds: 9, seconds: 5000, trials: 60 };
  const ours = contender(OURS);
  const c = cReference();
  if (!c) say("no C compiler (cc) here: the reference is left out");
  try {
    say(
      `demo2, λ = 2, T = ${size.seconds} s, one core, ns of processor time per request, median of ${size.rounds} rounds`,
    );
    const found = await takeTurns(ours, c, size);
    report(found, say);
    if (c) say(agreement(found));
  } finally {
    ours.stop();
  }
}

/**
 * Rounds in turn: ours, C, ours, C, so that a machine that slows down slows both. The first ones warm up: V8 compiles
 * what runs once a trial after a thousand of them, which costs processor time, too, until all of it is compiled.
 */
async function takeTurns(ours, c, { warmUps, rounds, seconds, trials }) {
  const found = SCHEDULERS.map(() => ({ ours: [], c: [] }));
  for (let round = -warmUps; round < rounds; round++)
    for (const [i, { kind }] of SCHEDULERS.entries()) {
      const figures = await ours.round(demo2(kind, { tmaxSeconds: seconds }), trials);
      const reference = c?.round(kind, 2 * trials, seconds);
      if (round < 0) continue;
      found[i].ours.push(figures);
      if (reference) found[i].c.push(reference);
    }
  return found;
}

function report(found, say) {
  const medians = (rounds) =>
    rounds.length > 0 ? PARTS.map((part) => median(rounds.map((figures) => figures[part]))) : undefined;
  const rows = found.map(({ ours, c }) => ({ ours: medians(ours), c: medians(c) }));
  const average = (of) => PARTS.map((_, i) => mean(rows.map((row) => of(row)[i])));
  const hasC = rows[0].c !== undefined;
  rows.push({ ours: average((row) => row.ours), c: hasC ? average((row) => row.c) : undefined });
  const ratios = hasC ? rows.slice(0, -1).map(({ ours, c }) => ours[0] / c[0]) : [];
  if (hasC) ratios.push(mean(ratios));
  for (const [i, { ours, c }] of rows.entries())
    assertMeasured({ ...ours, ...(hasC && { ...c.map((value) => value), ratio: ratios[i] }) });

  const digits = (values) => values.map((value) => value.toFixed(0));
  say(
    table([
      ["", "ours", ...(hasC ? ["C", "ratio"] : []), ...columns("ours"), ...(hasC ? columns("C") : [])],
      ...rows.map(({ ours, c }, i) => [
        SCHEDULERS[i]?.kind ?? "average",
        ours[0].toFixed(0),
        ...(hasC ? [c[0].toFixed(0), ratios[i].toFixed(2)] : []),
        ...digits(ours.slice(1)),
        ...(hasC ? digits(c.slice(1)) : []),
      ]),
    ]),
  );
  say(
    "statistics: ours are mean, P50, P90, P95 and P99 of five times (25) and 12 more; C's two means and one P95",
  );
}

const columns = (whose) => PARTS.slice(1).map((part) => `${whose}: ${part}`);

/** Whether both simulate the same system: the statistics that both compute. Throws when they do not. */
function agreement(found) {
  let furthest = 0;
  found.forEach(({ ours, c }, i) => {
    for (const metric of ["ttft_mean_s", "tbt_mean_s", "rts_p95_s"]) {
      const [a, aError] = ours[0][metric];
      const [b, bError] = c[0][metric];
      const apart = Math.abs(a - b) / Math.hypot(aError, bError);
      furthest = Math.max(furthest, apart);
      if (!(apart <= MOST_STANDARD_ERRORS))
        throw new Error(`${SCHEDULERS[i].kind}: ${metric} is ${a} here and ${b} in C, ${apart} errors apart`);
    }
  });
  return `same system: mean TTFT, mean TBT and P95 response time agree within ${furthest.toFixed(1)} standard errors`;
}
