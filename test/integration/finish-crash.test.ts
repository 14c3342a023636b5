// The daemon dies after any line of the journal of a chain's end, and of a merge that was left: ACCEPTANCE H6.
import type { JobRequestInput } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { type BackupWorld, backupWorld, TARGETS } from "../support/backup-world.ts";

const backup = { type: "Backup", vm: "web01" } as const;

type Case = {
	readonly request: JobRequestInput;
	/** Brings the VM to where the job has something to do. */
	readonly prepare: (world: BackupWorld) => Promise<void>;
	/** Overlays of each disk once the job is done. */
	readonly overlays: number;
	/** Journal lines that there are at least. */
	readonly lines: number;
};

const taken = async (world: BackupWorld, value: number): Promise<void> => {
	const daemon = await world.start();
	world.write("vda", value, value);
	world.write("vdb", value, value);
	await daemon.run(backup);
	await daemon.service.stop();
	world.write("vda", value + 1, value);
};

const CASES: Readonly<Record<string, Case>> = {
	"the end of a chain": {
		request: { type: "FinishChain", vm: "web01" },
		prepare: (world) => taken(world, 1),
		overlays: 0,
		lines: 5,
	},
	"a merge that was left": {
		request: { type: "MergeOverlays", vm: "web01" },
		prepare: async (world) => {
			await taken(world, 1);
			world.world.control.fail("commit");
			world.world.control.fail("commit", { nth: 2 });
			await taken(world, 2);
		},
		overlays: 1,
		lines: 5,
	},
};

/** Kills the daemon after a line of the job's journal and starts it again. False when the journal has no such line. */
const survive = async (t: ExecutionContext, one: Case, line: number): Promise<boolean> => {
	const world = await backupWorld(t);
	await one.prepare(world);
	const before = (await world.published()).map(({ path }) => world.viewOfBackup(path));
	const dying = await world.start(line);
	const ended = await dying.run(one.request);
	if (ended !== undefined) {
		t.is(ended.state, "succeeded", ended.error?.message);
		for (const target of TARGETS) t.is(world.overlays(target), one.overlays, "a whole run");
		await dying.service.stop();
		return false;
	}
	world.write("vdb", 5, 5);
	const moment = world.view();
	const again = await world.start();
	await again.service.recovered;
	t.deepEqual(world.view(), moment, `the guest's data after line ${line}`);
	const job = (await again.jobs()).find(({ type }) => type === one.request.type);
	t.true(["succeeded", "failed"].includes(job?.state ?? ""), `${job?.state} after line ${line}`);
	if (job?.state === "failed") {
		t.is(job.error?.code, "INTERRUPTED", `after line ${line}`);
		t.is((await again.run(one.request))?.state, "succeeded", `again after line ${line}`);
	}
	for (const target of TARGETS) t.is(world.overlays(target), one.overlays, `after line ${line}`);
	const next = await again.run(backup);
	t.is(next?.state, "succeeded", next?.error?.message);
	const points = await world.published();
	t.deepEqual(
		points.flatMap(({ problems }) => problems),
		[],
		`after line ${line}`,
	);
	t.deepEqual(
		points.map(({ path }) => world.viewOfBackup(path)),
		[...before, moment],
		`every point after line ${line}`,
	);
	await again.service.stop();
	return true;
};

for (const [name, one] of Object.entries(CASES)) {
	test(`crash › ${name} is brought to its end when the daemon dies after any line of its journal`, async (t) => {
		t.timeout(300_000);
		let line = 1;
		while (await survive(t, one, line)) line += 1;
		t.log(`${line - 1} lines`);
		t.true(line > one.lines, `${line} lines`);
	});
}
