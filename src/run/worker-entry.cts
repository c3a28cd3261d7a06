/**
 * What a thread of the pool loads first. Piscina asks for it with `require`, and a thread that is ended while Node
 * requires an ES module takes the whole process with it (Node 20.20: V8's Module::IsGraphAsync); an import is safe.
 */
const bundled: string = "../bundle/worker.js";
export = import(bundled).then((worker: { default: unknown }) => worker.default);
