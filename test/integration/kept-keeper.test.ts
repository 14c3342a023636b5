import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobRequest, VmState } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { createKeptKeeper } from "../../apps/host-daemon/src/jobs/kept-keeper.ts";
import { asideOf, writeRecord } from "../../apps/host-daemon/src/jobs/kept-record.ts";
import { aDisk, aVm } from "../support/builders/facts.ts";
import { movingClock } from "../support/moving-clock.ts";

const HOUR = 3_600_000;
const ID = "0196f000-0000-7000-8000-00000000cafe";

const worldOf = async (t: ExecutionContext) => {
	const directory = mkdtempSync(join(tmpdir(), "knib-kept-"));
	t.teardown(() => rmSync(directory, { recursive: true }));
	const path = join(directory, "a.qcow2");
	const { uuid, name } = aVm();
	await writeRecord(`${asideOf(path, ID)}.json`, {
		format: 1,
		id: ID,
		vm: { uuid, name },
		backup: ID,
		repository: { id: "r", name: "main" },
		at: "2026-01-02T03:04:05.000Z",
		xml: "<domain/>",
		state: "kept",
		disks: [],
	});
	const clock = movingClock();
	const asked: JobRequest[] = [];
	const seen = { state: "shut off" as VmState, answers: false, jump: 0 };
	const vm = () =>
		aVm({ state: seen.state, agentChannel: true, disks: [aDisk({ target: "vda", path })] });
	const make = () =>
		createKeptKeeper({
			hypervisor: {
				list: async () => [{ uuid, name, state: seen.state }],
				vm: async () => vm(),
				agentSync: async () => seen.answers,
			},
			catalog: { setting: async () => 24 as never },
			jobs: {
				start: async (request) => {
					asked.push(request);
					return {} as never;
				},
			},
			clock: {
				...clock,
				now: () => new Date(Date.parse(clock.now()) + seen.jump).toISOString(),
			},
			stateDir: directory,
			newestBackupAt: async () => null,
			onProblem: (problem) => {
				throw problem;
			},
		});
	return { make, clock, asked, seen };
};

test("kept disks › are deleted once they were kept for their time, which begins with the first boot", async (t) => {
	const { make, clock, asked, seen } = await worldOf(t);
	const keeper = make();
	for (const state of ["shut off", "running"] as const) {
		seen.state = state;
		await keeper.look();
		clock.advance(30 * HOUR);
	}
	await keeper.look();
	t.deepEqual(asked, [], "its agent has never answered");
	seen.answers = true;
	await keeper.look();
	clock.advance(23 * HOUR);
	seen.state = "shut off";
	await keeper.look();
	t.deepEqual(asked, []);
	clock.advance(HOUR);
	await keeper.look();
	await keeper.look();
	t.deepEqual(
		asked.map((one) => ("restore" in one ? [one.mode, one.restore] : [])),
		[["confirm", ID]],
	);
});

test("kept disks › stay while the clock is not believable, and over a restart as long as was seen", async (t) => {
	const { make, clock, asked, seen } = await worldOf(t);
	seen.state = "running";
	seen.answers = true;
	const first = make();
	await first.look();
	clock.advance(20 * HOUR);
	await first.look();
	const second = make();
	await second.look();
	seen.jump = 365 * 24 * HOUR;
	clock.advance(3 * HOUR);
	await second.look();
	clock.advance(2 * HOUR);
	await second.look();
	t.deepEqual(asked, []);
	seen.jump = 0;
	await second.look();
	t.is(asked.length, 1);
});
