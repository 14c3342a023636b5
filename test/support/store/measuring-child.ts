// With argv[3] backups to write: writes them into the store in argv[2] and ends. Without: opens it, reads all, and says what that took.
import { setFlagsFromString } from "node:v8";
import { openRxStore } from "@knib/sync";
import { say } from "./in-child.ts";

const [, , dir = "", count = "0"] = process.argv;

// As knibd does: the young generation stays small, instead of growing for good while the store is read.
setFlagsFromString("--semi-space-growth-factor=1");

const uuids = (n: number): readonly string[] =>
	Array.from({ length: n }, () => crypto.randomUUID());

/** About 1.5 KB of JSON, with as many members as a backup's view has. */
const backup = (n: number) => ({
	vm: { uuid: crypto.randomUUID(), name: `vm-${n % 200}` },
	state: "Ready",
	reason: "the schedule asks for it",
	startedAt: "2026-01-02T03:04:05.000Z",
	endedAt: "2026-01-02T03:05:05.000Z",
	sizes: { virtual: 64424509440 + n, layer: n, transferred: n },
	disks: ["vda", "vdb", "vdc"].map((target) => ({
		target,
		path: `/var/lib/libvirt/images/vm-${n}-${target}.qcow2`,
		virtualSize: 21474836480,
		layer: `${target}.qcow2`,
		bytes: n,
		sha256: uuids(2).join("").replaceAll("-", ""),
	})),
	ids: uuids(16),
	tags: ["nightly", "production"],
});

const started = performance.now();
const store = await openRxStore({ dir, owner: "host-a", onFatal: () => process.exit(1) });
const openMs = Math.round(performance.now() - started);
for (let n = 0; n < Number(count); n += 100) {
	const documents = Array.from({ length: 100 }, (_, at) => ({
		id: `0190a000-0000-7000-8000-${String(n + at).padStart(12, "0")}`,
		body: backup(n + at),
	}));
	await store.putMany("backup", documents);
}
const listed = performance.now();
const { length } = await store.list("backup");
const listMs = Math.round(performance.now() - listed);
const residentMiB = Math.round(process.memoryUsage.rss() / 2 ** 20);
say({ count: length, openMs, listMs, residentMiB, bytes: JSON.stringify(backup(1)).length });
await store.close();
