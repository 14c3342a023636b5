import type { JobView } from "@knib/core";
import test from "ava";
import { measuredBoot, measuredRate } from "../../../apps/cli/src/restore-plan/measured-rate.ts";

const WEB = "0196f000-0000-7000-8000-00000000aaaa";
const DB = "0196f000-0000-7000-8000-00000000bbbb";

/** A restore of 1000 bytes that took a second, and half a second more for the agent. */
const restored = (uuid: string, override: Partial<JobView> = {}) => ({
	type: "Restore" as const,
	state: "succeeded" as const,
	host: "here",
	vm: { uuid, name: "vm" },
	startedAt: "2026-01-02T03:04:05.000Z",
	endedAt: "2026-01-02T03:04:06.500Z",
	result: { bytes: 1000, agentMs: 500 },
	...override,
});

const asked = { vm: WEB, host: "here", pullBytesPerSecond: null };

test("measuredRate › is that of the VM's last restore on the host, without the wait for the agent", (t) => {
	const newer = restored(DB, { result: { bytes: 9000 } });
	t.deepEqual(
		measuredRate([newer, restored(WEB), restored(WEB, { result: { bytes: 1 } })], asked),
		{
			bytesPerSecond: 1000,
			from: "its last restore",
		},
	);
});

test("measuredRate › else that of any VM there, else that of the VM's last consolidation", (t) => {
	const elsewhere = restored(WEB, { host: "there" });
	t.deepEqual(measuredRate([elsewhere, restored(DB)], asked), {
		bytesPerSecond: 1000,
		from: "the last restore on here",
	});
	t.deepEqual(measuredRate([elsewhere], { ...asked, pullBytesPerSecond: 7 }), {
		bytesPerSecond: 7,
		from: "its last consolidation",
	});
	t.is(measuredRate([elsewhere], asked), null);
});

test("measuredRate › counts no restore that failed, copied nothing, or whose times are not known", (t) => {
	const jobs = [
		restored(WEB, { state: "failed" }),
		restored(WEB, { result: { bytes: null } }),
		restored(WEB, { result: null }),
		restored(WEB, { endedAt: null }),
		restored(WEB, { type: "Backup" }),
	];
	t.is(measuredRate(jobs, asked), null);
});

test("measuredBoot › is that of the VM's last restore on the host that started it", (t) => {
	const cold = restored(WEB, { result: { bytes: 1, agentMs: null } });
	const last = restored(WEB, { result: { agentMs: 70 } });
	t.deepEqual(measuredBoot([restored(DB), cold, last, restored(WEB)], asked), {
		ms: 70,
		from: "its last restore",
	});
	t.is(measuredBoot([cold, restored(WEB, { host: "there" }), restored(DB)], asked), null);
});
