/**
 * The lengths of requests where one row of a table decides more than one thing: prompt and output of a pair,
 * or the row of a trace that has just arrived. Laws that stand alone draw from their own streams as ever.
 */
import type { ArrivalProcess } from "./arrival-process.js";
import type { LengthLaw, Marks } from "./length-law.js";
import { stream, type Stream } from "../numbers/random.js";

/** Draws a request's lengths; what was drawn stands in the fields until the next draw. */
export class JointLengths {
  promptTokens = 0;
  outputTokens = 0;
  prefixHitTokens = 0;
  priority = 0;
  /** What the table of the prompts has beside lengths. */
  readonly marks: Marks | undefined;
  private readonly promptArrives: boolean;
  private readonly outputArrives: boolean;
  private readonly isPair: boolean;

  constructor(
    process: ArrivalProcess,
    private readonly prompt: LengthLaw,
    private readonly output: LengthLaw,
  ) {
    const { table } = process;
    this.promptArrives = table !== undefined && prompt.joint?.table === table;
    this.outputArrives = table !== undefined && output.joint?.table === table;
    this.isPair = prompt.joint !== undefined && prompt.joint.table === output.joint?.table;
    this.marks = prompt.joint?.marks;
  }

  /** The streams of a trial, or those that `whose` names in it (`/7` for client 7): rows have one of their own. */
  static streams(seed: number, trial: number, whose = ""): Record<"rows" | "prompts" | "outputs", Stream> {
    return {
      rows: stream(seed, trial, `lengths${whose}`),
      prompts: stream(seed, trial, `prompt${whose}`),
      outputs: stream(seed, trial, `output${whose}`),
    };
  }

  /** @param arrived the row that arrived, of a process that replays a table; -1 when there is none */
  draw(
    arrived: number,
    { rows, prompts, outputs }: { readonly rows: Stream; readonly prompts: Stream; readonly outputs: Stream },
  ): void {
    const { prompt, output, isPair } = this;
    const isReplayed = arrived >= 0;
    let promptRow = -1;
    if (isReplayed && this.promptArrives) promptRow = arrived;
    else if (prompt.joint) promptRow = prompt.joint.row(isPair ? rows : prompts);
    const outputRow = isPair ? promptRow : isReplayed && this.outputArrives ? arrived : -1;
    this.promptTokens = promptRow < 0 ? prompt.sample(prompts) : prompt.joint!.at(promptRow);
    this.outputTokens = outputRow < 0 ? output.sample(outputs) : output.joint!.at(outputRow);
    this.prefixHitTokens = this.marks?.prefixHitTokens?.[promptRow] ?? 0;
    this.priority = this.marks?.priority?.[promptRow] ?? 0;
  }
}
