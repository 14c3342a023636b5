// What the benchmark of synchronisation and its hosts, each in a process of its own, say to each other.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";

/** A host and where it listens on loopback. */
export type HostAt = { readonly id: string; readonly port: number };

export type Asked =
	| { readonly type: "members"; readonly ids: readonly string[] }
	| { readonly type: "link"; readonly peers: readonly HostAt[] }
	| { readonly type: "write"; readonly prefix: string; readonly count: number }
	| { readonly type: "put"; readonly id: string }
	/** Answered at once; `there` follows when so many documents have come. */
	| { readonly type: "await"; readonly count: number }
	| { readonly type: "state" }
	| { readonly type: "end" };

/** Times in milliseconds; `at` on a clock that all processes share. Bytes are those of the frames, before they are encrypted. */
export type Sent =
	| ({ readonly type: "ready" } & HostAt)
	| { readonly type: "done" }
	| { readonly type: "put"; readonly at: number }
	| { readonly type: "one"; readonly id: string; readonly at: number }
	| { readonly type: "there"; readonly at: number }
	| {
			readonly type: "state";
			readonly openMs: number;
			readonly listMs: number;
			readonly bytes: { readonly sent: number; readonly received: number };
			readonly documents: number;
			readonly digest: string;
			readonly residentMiB: number;
	  };

export type SentOf<K extends Sent["type"]> = Sent & { readonly type: K };

/** A host's process. */
export type BenchHost = HostAt & {
	/** Asks, and waits for the answer of that type. */
	readonly ask: <K extends Sent["type"]>(asked: Asked, answer: K) => Promise<SentOf<K>>;
	/** The next message of a type that nobody has asked for. */
	readonly next: <K extends Sent["type"]>(type: K) => Promise<SentOf<K>>;
	/** Ends it in order, and waits for that. */
	readonly end: () => Promise<void>;
};

const messages = (child: ChildProcess) => {
	const waiting: { readonly type: string; readonly take: (sent: Sent) => void }[] = [];
	const kept: Sent[] = [];
	child.on("message", (sent: Sent) => {
		const at = waiting.findIndex(({ type }) => type === sent.type);
		if (at < 0) kept.push(sent);
		else waiting.splice(at, 1)[0]?.take(sent);
	});
	return <K extends Sent["type"]>(type: K): Promise<SentOf<K>> =>
		new Promise((resolve) => {
			const at = kept.findIndex((sent) => sent.type === type);
			const [found] = at < 0 ? [] : kept.splice(at, 1);
			const take = resolve as (sent: Sent) => void;
			if (found === undefined) waiting.push({ type, take });
			else take(found);
		});
};

/** Starts a host on a store in a directory. */
export const startHost = async (dir: string): Promise<BenchHost> => {
	const child = fork(new URL("sync-host.ts", import.meta.url), [dir], {
		execArgv: ["--conditions=source"],
	});
	child.on("exit", (code) => {
		if (code !== 0) throw new Error(`a host ended with ${code}`);
	});
	const exit = once(child, "exit");
	const next = messages(child);
	const { id, port } = await next("ready");
	return {
		id,
		port,
		next,
		ask: (asked, answer) => {
			child.send(asked);
			return next(answer);
		},
		end: async () => {
			child.send({ type: "end" } satisfies Asked);
			await next("done");
			child.disconnect();
			await exit;
		},
	};
};
