// What a dry run of a restore plan says: every plan, and how long it takes by what was measured before.
import {
	estimateRestore,
	type JobView,
	type RestoreFigures,
	type RestorePlanPreview,
	timeRestores,
	type VmView,
} from "@knib/core";
import type { KnibClient } from "@knib/host-daemon/client";
import type { CheckedEntry } from "./check-entries.ts";
import { measuredBoot, measuredRate } from "./measured-rate.ts";

/** What was measured before. A VM that no host has any more has left no promise but what its backup says. */
type Known = {
	readonly jobs: readonly JobView[];
	readonly vms: readonly Pick<VmView, "uuid" | "promise">[];
};

const hostName = async ({ api }: KnibClient, host: string | undefined): Promise<string> =>
	host === undefined
		? (await api.daemon.info.query()).host.name
		: (await api.host.show.query({ host })).name;

const figuresOf = async (
	client: KnibClient,
	{ entry, backup, host, plan }: CheckedEntry,
	{ jobs, vms }: Known,
): Promise<RestoreFigures> => {
	const promise = vms.find(({ uuid }) => uuid === backup.vm.uuid)?.promise ?? null;
	const validated = promise?.bootMs ?? backup.validated?.agentMs ?? null;
	const { quick, start } = entry;
	const pullBytesPerSecond = promise?.pullBytesPerSecond ?? null;
	const asked = { vm: backup.vm.uuid, host: await hostName(client, host), pullBytesPerSecond };
	return {
		quick,
		start,
		bytes: plan.bytes ?? null,
		boot:
			validated === null ? measuredBoot(jobs, asked) : { ms: validated, from: "its validation" },
		rate: measuredRate(jobs, asked),
	};
};

/** `checked` stands in the order of the plan. Reads only. */
export const previewPlan = async (
	client: KnibClient,
	checked: readonly CheckedEntry[],
	parallel: number,
): Promise<RestorePlanPreview> => {
	const jobs = await client.api.job.list.query({ type: "Restore" });
	const vms = await client.api.vm.list.query();
	const estimates = new Map<string, ReturnType<typeof estimateRestore>>();
	for (const one of checked) {
		estimates.set(one.entry.name, estimateRestore(await figuresOf(client, one, { jobs, vms })));
	}
	const items = checked.map(({ entry }) => entry);
	const time = timeRestores(items, parallel, estimates);
	const entries = time.starts.flatMap(({ name, startMs, exact }) => {
		const one = checked.find(({ entry }) => entry.name === name);
		const estimate = estimates.get(name);
		if (one === undefined || estimate === undefined) return [];
		return [{ ...viewEntry(one), plan: one.plan, estimate, startMs, exact }];
	});
	return { parallel, entries, totalMs: time.totalMs, exact: time.exact };
};

/** What all outputs say of an entry. */
export const viewEntry = ({ entry, backup }: Pick<CheckedEntry, "entry" | "backup">) => ({
	name: entry.name,
	mode: entry.mode,
	vm: backup.vm,
	backup: backup.id,
	after: entry.after,
	priority: entry.priority,
});
