import { once } from "node:events";
import { writeSync } from "node:fs";
import { flushCompileCache } from "node:module";

/** Writes a line to the parent; it is in the pipe when this returns, whatever happens to the process next. */
export const say = (message: object): void => {
	writeSync(1, `${JSON.stringify(message)}\n`);
};

/** Waits until the parent lets the child begin. What was compiled until now is kept for the next child: this one may not end well. */
export const begin = async (): Promise<void> => {
	flushCompileCache();
	await once(process.stdin, "data");
};
