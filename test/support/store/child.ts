// Child processes of the store's tests: they say on stdout, line by line in JSON, what they did.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { ExecutionContext } from "ava";

/** How long any one answer of a child may take, in milliseconds. */
const DEADLINE_MS = 90_000;

/** The outcome of a promise, or a rejection that says what was waited for. */
export const within = async <T>(promise: Promise<T>, what: string): Promise<T> => {
	let timer: NodeJS.Timeout | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(`no ${what} in ${DEADLINE_MS} ms`)), DEADLINE_MS);
	});
	try {
		return await Promise.race([promise, late]);
	} finally {
		clearTimeout(timer);
	}
};

export interface Child {
	/** The next line it wrote, parsed; undefined when it has ended. Rejects when it takes too long. */
	next(): Promise<unknown>;
	/** Lets it begin: children load their modules, and wait for this. */
	go(): void;
	/** Ends it by SIGKILL and waits until it is gone; lines that it had written can still be read. */
	kill(): Promise<void>;
	/** Waits for its end; null after a signal. */
	ended(): Promise<number | null>;
}

/** Starts a script of this directory. It goes with the test at the latest. */
export const startChild = (
	t: ExecutionContext,
	script: string,
	{ args, nodeArgs = [] }: { readonly args: readonly string[]; readonly nodeArgs?: string[] },
): Child => {
	const path = new URL(script, import.meta.url).pathname;
	const child = spawn(process.execPath, [...nodeArgs, "--conditions=source", path, ...args], {
		stdio: ["pipe", "pipe", "inherit"],
		env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "knib-test-compile-cache") },
	});
	child.stdin.on("error", () => undefined);
	const exit = once(child, "exit");
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const kill = async (): Promise<void> => {
		child.kill("SIGKILL");
		await within(exit, `end of ${script}`);
	};
	t.teardown(kill);
	return {
		next: async () => {
			const { done, value } = await within(lines.next(), `line of ${script}`);
			return done === true ? undefined : (JSON.parse(value) as unknown);
		},
		go: () => {
			child.stdin.write("go\n");
		},
		kill,
		ended: async () => {
			await within(exit, `end of ${script}`);
			return child.exitCode;
		},
	};
};
