import { appendFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventFilterSchema } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { openAuditLog } from "../../../apps/host-daemon/src/audit/audit-log.ts";
import { recordAct } from "../../../apps/host-daemon/src/audit/record-act.ts";

const all = eventFilterSchema.parse({});
const WEB = { uuid: "11111111-2222-4333-8444-555555555555", name: "web01" };

const open = async (t: ExecutionContext) => {
	const directory = await mkdtemp(join(tmpdir(), "knib-audit-"));
	t.teardown(() => rm(directory, { recursive: true, force: true }));
	let at = "2026-01-31T23:59:59.000Z";
	const onProblem = (error: unknown): void => t.fail(String(error));
	const log = await openAuditLog({ directory, now: () => at, onProblem });
	return { log, directory, setTime: (time: string) => (at = time) };
};

test("audit log › keeps events in order over months, and filters by time, VM and number", async (t) => {
	const { log, setTime } = await open(t);
	log.append({ kind: "job", who: "here", vm: WEB, text: "Backup succeeded" });
	setTime("2026-02-01T00:00:01.000Z");
	log.append({ kind: "alert", who: "here", vm: null, text: "peer lost" });
	const texts = async (filter: object): Promise<readonly string[]> =>
		(await log.read({ ...all, ...filter })).map((event) => event.text);
	t.deepEqual(await texts({}), ["Backup succeeded", "peer lost"]);
	t.deepEqual(await texts({ since: "2026-02-01T00:00:00.000Z" }), ["peer lost"]);
	t.deepEqual(await texts({ vm: "web01" }), ["Backup succeeded"]);
	t.deepEqual(await texts({ limit: 1 }), ["peer lost"]);
});

test("audit log › passes over a line that a crash has cut short", async (t) => {
	const { log, directory } = await open(t);
	log.append({ kind: "job", who: "here", vm: null, text: "one" });
	await log.flush();
	await appendFile(join(directory, "2026-01.jsonl"), '{"at":"2026-01-\n');
	log.append({ kind: "job", who: "here", vm: null, text: "two" });
	t.deepEqual(
		(await log.read(all)).map((event) => event.text),
		["one", "two"],
	);
});

test("audit log › notes acts with who asked, without dry runs and without the secrets of peers", async (t) => {
	const { log } = await open(t);
	const act = { path: "vm.assign", input: { vm: "web01", offering: "gold" }, user: "ann", vm: WEB };
	recordAct(log, { ...act, error: null });
	recordAct(log, { ...act, error: "NOT_FOUND" });
	recordAct(log, { ...act, input: { vm: "web01", dryRun: true }, error: null });
	recordAct(log, {
		path: "peer.join",
		input: { code: "secret" },
		user: "ann",
		vm: null,
		error: null,
	});
	const events = await log.read(all);
	t.deepEqual(
		events.map((event) => event.text),
		[
			"vm.assign vm=web01 offering=gold",
			"vm.assign vm=web01 offering=gold (refused or failed: NOT_FOUND)",
			"peer.join",
		],
	);
	t.true(events.every((event) => event.who === "ann (as stated)"));
});
