// The only place of the daemon that reads process.env.

/** The variables that the daemon was started with. */
export const environment = (): Readonly<Record<string, string | undefined>> => process.env;
