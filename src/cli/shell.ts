/** An argument as a shell takes it: commands that are printed can be pasted. */
export const shellWord = (argument: string): string =>
  /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", `'\\''`)}'`;

/** A command line of this program, to be pasted. */
export const commandLine = (argv: readonly string[]): string => ["llmsim", ...argv.map(shellWord)].join(" ");

/** A command line without the address of Redis, which may hold a password: the variable that is read instead. */
export const withoutUrl = (line: string): string =>
  line.replace(/ --redis[ =](?:'(?:[^']|'\\'')*'|\S+)/g, ' --redis "$LLMSIM_REDIS"');
