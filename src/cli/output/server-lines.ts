/** A vLLM server in the header: what its log and arguments said, what they did not, and what of them is ignored. */
import { show } from "../../config/telling.js";
import type { OptionValue } from "../../core/options/definition.js";
import type { ServerUse } from "../../experiments/interface/study.js";

const WIDTH = 80;

/** Parts with commas between, in lines of at most 80 columns, each after the first indented more. */
function wrapped(lead: string, parts: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  let line = lead;
  parts.forEach((part, i) => {
    const word = ` ${part}${i < parts.length - 1 ? "," : ""}`;
    if (line.length + word.length > WIDTH && line !== lead) {
      lines.push(line);
      line = indent;
    }
    line += word;
  });
  return [...lines, line];
}

/** How null reads where it is not simply "none". */
const NULLS: Readonly<Record<string, string>> = {
  chunkSize: "off",
  kvTokens: "unlimited",
  prefixCaching: "null (hits as given)",
};

function shown(key: string, value: OptionValue | null | undefined): string {
  const name = key.split(".").slice(key.endsWith(".kind") ? -2 : -1)[0];
  return `${name} ${value === null ? (NULLS[name] ?? "none") : String(value)}`;
}

/** The lines of the header. */
export function serverLines({ log, args, version, told, untold, gpus, ignored }: ServerUse): string[] {
  const sources = [...(log === undefined ? [] : [log]), ...(args !== true ? [] : ["--vllm-args"])].join(", ");
  const said = Object.entries(told).map(([key, value]) => shown(key, value));
  const unsaid = untold.map(({ key, value, from }) => `${shown(key, value)} (${from})`);
  return [
    ...wrapped(
      `vllm ${version === undefined ? "" : `${show(version)} `}by ${sources}:`,
      said.length > 0 ? said : ["nothing"],
      " ",
    ),
    ...(unsaid.length > 0 ? wrapped("  not told:", unsaid, "   ") : []),
    ...(gpus === undefined
      ? []
      : [`  not judged: tensor_parallel_size ${gpus} (no hardware says how many GPUs it has)`]),
    ...(ignored.length > 0 ? wrapped("  ignored:", ignored.map(show), "   ") : []),
  ];
}
