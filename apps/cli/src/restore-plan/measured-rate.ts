// How fast restores have gone and VMs have booted: from the jobs that a host has finished, newest first.
import type { JobView, RestoreFigures } from "@knib/core";
import { z } from "zod";

const resultSchema = z.looseObject({
	bytes: z.number().positive(),
	agentMs: z.number().nullish(),
});
const bootedSchema = z.looseObject({ agentMs: z.number().positive() });

type Finished = Pick<
	JobView,
	"type" | "state" | "host" | "vm" | "startedAt" | "endedAt" | "result"
>;
type Asked = {
	readonly vm: string;
	/** Name of the host that would do the work. */
	readonly host: string;
	/** What the VM's last consolidation has measured; null: nothing. */
	readonly pullBytesPerSecond: number | null;
};

/** Bytes a second of a whole restore but the wait for the agent; null for a job that copied nothing or did not succeed. */
const rateOf = ({ type, state, startedAt, endedAt, result }: Finished): number | null => {
	const parsed = resultSchema.safeParse(result);
	if (type !== "Restore" || state !== "succeeded" || !parsed.success) return null;
	const { bytes, agentMs } = parsed.data;
	const ms = Date.parse(endedAt ?? "") - Date.parse(startedAt ?? "") - (agentMs ?? 0);
	return ms > 0 ? (bytes * 1000) / ms : null;
};

/** The rate to expect: that of the VM's last restore on the host, else of any VM's, else of the VM's last consolidation. Null when none was measured. `jobs` are newest first. */
export const measuredRate = (
	jobs: readonly Finished[],
	{ vm, host, pullBytesPerSecond }: Asked,
): RestoreFigures["rate"] => {
	const measured = jobs
		.filter((job) => job.host === host)
		.flatMap((job) => {
			const bytesPerSecond = rateOf(job);
			return bytesPerSecond === null ? [] : [{ bytesPerSecond, own: job.vm?.uuid === vm }];
		});
	const own = measured.find((one) => one.own);
	if (own !== undefined) return { bytesPerSecond: own.bytesPerSecond, from: "its last restore" };
	const [any] = measured;
	if (any !== undefined) {
		return { bytesPerSecond: any.bytesPerSecond, from: `the last restore on ${host}` };
	}
	return pullBytesPerSecond === null
		? null
		: { bytesPerSecond: pullBytesPerSecond, from: "its last consolidation" };
};

/** How long the VM took to boot in its last restore on the host; null when it was never started by one. `jobs` are newest first. */
export const measuredBoot = (
	jobs: readonly Finished[],
	{ vm, host }: Pick<Asked, "vm" | "host">,
): RestoreFigures["boot"] => {
	const [ms] = jobs
		.filter((job) => job.type === "Restore" && job.state === "succeeded")
		.filter((job) => job.host === host && job.vm?.uuid === vm)
		.flatMap(({ result }) => bootedSchema.safeParse(result).data?.agentMs ?? []);
	return ms === undefined ? null : { ms, from: "its last restore" };
};
