// The only place of the command line that reads process.env.

/** The variables that knib was started with. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env;
