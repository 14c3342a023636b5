// Opens the store in argv[2], says what it holds, and writes as fast as it can, saying each acknowledgement, until it is killed.
import { openRxStore } from "@knib/sync";
import { begin, say } from "./in-child.ts";

const [, , dir = ""] = process.argv;
const PAD = "x".repeat(700);

await import("../../../packages/sync/src/storage/rx-engine.ts");
await begin();
const store = await openRxStore({
	dir,
	owner: "host-a",
	onFatal: ({ message }) => {
		say({ fatal: message });
	},
});

const numbers = async (kind: "job" | "backup"): Promise<Record<string, number>> =>
	Object.fromEntries((await store.list(kind)).map(({ id, body }) => [id, Number(body["n"])]));

const jobs = await numbers("job");
const backups = await numbers("backup");
const events = (await store.list("alert")).map(({ id }) => id);
say({ holds: { jobs, backups, events } });

/** Counts one document up. */
const countUp = async (id: string): Promise<never> => {
	for (let n = (jobs[id] ?? 0) + 1; ; n++) {
		const { ver } = await store.put("job", id, { n, pad: PAD });
		say({ job: id, n, ver });
	}
};

/** Counts three documents up together. */
const countTogether = async (): Promise<never> => {
	for (let n = (backups["b0"] ?? 0) + 1; ; n++) {
		const documents = ["b0", "b1", "b2"].map((id) => ({ id, body: { n, pad: PAD } }));
		const [first] = await store.putMany("backup", documents);
		say({ backups: n, ver: first?.ver });
	}
};

/** Makes documents and removes them. */
const comeAndGo = async (): Promise<never> => {
	for (;;) {
		const id = crypto.randomUUID();
		const { ver } = await store.put("alert", id, { pad: PAD });
		say({ came: id, ver });
		await store.remove("alert", id);
		say({ went: id });
	}
};

await Promise.all([...["j0", "j1", "j2", "j3"].map(countUp), countTogether(), comeAndGo()]);
