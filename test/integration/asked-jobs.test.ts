// Jobs that another host has asked for: once, also when the daemon dies after it has taken one and before it has begun.
import { type Job, jobRequestSchema } from "@knib/core";
import test from "ava";
import { serviceWorld } from "../support/service-world.ts";

const ASKED = "0196f000-0000-7000-8000-0000000a5ced";

test("asked jobs › are one job however often they are asked for", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	const backup = world.members.at(-1)?.manifest.identity.id ?? "";
	const request = jobRequestSchema.parse({ type: "DeleteBackup", backup });
	await daemon.service.startAsked(ASKED, request, () => request, "root on other");
	await daemon.service.startAsked(ASKED, request, () => request, "root on other");
	await daemon.idle();
	await daemon.service.startAsked(ASKED, request, () => request, "root on other");
	const jobs = await daemon.jobs();
	t.is(jobs.length, 1);
	t.like(jobs[0], { id: ASKED, state: "succeeded", attempts: 1 });
	await daemon.service.stop();
});

for (const state of ["waiting", "executing"] as const) {
	test(`asked jobs › that were ${state} without a journal are done after the restart`, async (t) => {
		const world = await serviceWorld(t);
		const backup = world.members.at(-1)?.manifest.identity.id ?? "";
		const job: Job = {
			id: ASKED,
			asked: true,
			type: "DeleteBackup",
			host: "here",
			vm: null,
			backup,
			state,
			reason: null,
			phase: null,
			attempts: state === "executing" ? 1 : 0,
			createdAt: "2026-01-02T03:04:05.000Z",
			scheduledAt: null,
			startedAt: null,
			endedAt: null,
			request: { type: "DeleteBackup", backup },
			result: null,
			error: null,
			warnings: [],
		};
		await world.store.put("job", ASKED, job);
		const daemon = await world.start();
		await daemon.idle();
		const [ended] = await daemon.jobs();
		t.is(ended?.state, "succeeded", ended?.reason ?? "");
		t.is((await world.repository.trash()).length, 1);
		await daemon.service.stop();
	});
}

test("asked jobs › that are refused end as failed jobs of their id", async (t) => {
	const world = await serviceWorld(t);
	const daemon = await world.start();
	const request = jobRequestSchema.parse({
		type: "DeleteBackup",
		backup: "0196f000-0000-7000-8000-00000000dead",
	});
	await daemon.service.startAsked(ASKED, request, () => request, "root on other");
	await daemon.idle();
	t.like(await daemon.jobs(), [{ id: ASKED, state: "failed", error: { code: "NOT_FOUND" } }]);
	await daemon.service.stop();
});
