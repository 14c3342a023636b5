import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JobRequest, JobState } from "@knib/core";
import test, { type ExecutionContext } from "ava";
import { lookForQuick } from "../../apps/host-daemon/src/jobs/quick-keeper.ts";
import { type QuickRecord, quickRecordPath } from "../../apps/host-daemon/src/jobs/quick-record.ts";
import { aDisk, aVm } from "../support/builders/facts.ts";

const RESTORE = "0196f000-0000-7000-8000-00000000cafe";
const OTHER = "0196f000-0000-7000-8000-00000000beef";

/** A VM that stands on a repository, and a queue with one job. */
const lookAt = async (
	t: ExecutionContext,
	queued: { readonly id: string; readonly state: JobState; readonly vm: string | null },
	{ record = true } = {},
): Promise<{ readonly started: readonly string[]; readonly asked: readonly JobRequest[] }> => {
	const directory = mkdtempSync(join(tmpdir(), "knib-quick-"));
	t.teardown(() => rmSync(directory, { recursive: true }));
	const path = join(directory, "a.qcow2");
	const { uuid, name } = aVm();
	const written: QuickRecord = {
		...{ format: 1, job: RESTORE, restore: RESTORE, vm: { uuid, name }, source: uuid },
		...{ backup: RESTORE, chain: RESTORE, repository: { id: "r", name: "main" } },
		at: "2026-01-02T03:04:05.000Z",
		disks: [
			{
				...{ target: "vda", path, layers: ["/repository/vda.qcow2"], bytes: 1 },
				policies: { write: null, read: null },
			},
		],
	};
	if (record) writeFileSync(quickRecordPath(path, RESTORE), JSON.stringify(written));
	const asked: JobRequest[] = [];
	const started = await lookForQuick({
		hypervisor: {
			list: async () => [{ uuid, name, state: "running" }],
			vm: async () => aVm({ disks: [aDisk({ target: "vda", path })] }),
		},
		jobs: {
			list: async () => [
				{
					...{ id: queued.id, state: queued.state },
					vm: queued.vm === null ? null : { uuid: queued.vm, name },
				} as never,
			],
			start: async (request) => {
				asked.push(request);
				return {} as never;
			},
		},
		onProblem: (problem) => {
			throw problem;
		},
	});
	return { started, asked };
};

test("quick keeper › asks for the consolidation of a VM that stands on a repository and has no job", async (t) => {
	const { uuid } = aVm();
	for (const state of ["succeeded", "failed", "cancelled"] as const) {
		const { started, asked } = await lookAt(t, { id: RESTORE, state, vm: uuid });
		t.deepEqual(started, [uuid], state);
		t.like(asked, [{ type: "Consolidate", vm: uuid }], state);
	}
	const elsewhere = await lookAt(t, { id: OTHER, state: "executing", vm: null });
	t.deepEqual(elsewhere.started, [uuid]);
});

test("quick keeper › leaves a VM to the job that it has, waiting or not", async (t) => {
	const { uuid } = aVm();
	for (const state of ["waiting", "executing"] as const) {
		t.deepEqual((await lookAt(t, { id: OTHER, state, vm: uuid })).asked, [], state);
	}
});

test("quick keeper › leaves a new VM to its restore, whose job is not one of that VM", async (t) => {
	for (const vm of [null, "another"]) {
		t.deepEqual((await lookAt(t, { id: RESTORE, state: "executing", vm })).asked, []);
	}
});

test("quick keeper › asks for nothing where a VM stands on its own disks", async (t) => {
	const quiet = { id: OTHER, state: "succeeded", vm: null } as const;
	t.deepEqual((await lookAt(t, quiet, { record: false })).asked, []);
});
