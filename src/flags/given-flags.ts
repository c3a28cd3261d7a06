/** What commander hands over: flags by their camel-case names, as text. */
export type Flags = Readonly<Record<string, string | string[] | boolean | undefined>>;
