// Sees to it that every VM that stands on a repository is consolidated: where the job was lost, was cancelled or has failed, another
// one is asked for. Looks seldom, since jobs outlive knibd by themselves.
import { type Hypervisor, isTerminal, jobRequestSchema } from "@knib/core";
import type { JobService } from "./job-service.ts";
import { findQuick } from "./quick-record.ts";

const LOOK_MS = 10 * 60_000;

type Options = {
	readonly hypervisor: Pick<Hypervisor, "list" | "vm">;
	readonly jobs: Pick<JobService, "list" | "start">;
	readonly onProblem: (error: unknown) => void;
};

/** One look; returns the VMs for which a job was started. */
export const lookForQuick = async ({
	hypervisor,
	jobs,
	onProblem,
}: Options): Promise<readonly string[]> => {
	const started: string[] = [];
	for (const { uuid } of await hypervisor.list()) {
		try {
			const vm = await hypervisor.vm(uuid);
			const records = vm === undefined ? [] : await findQuick(vm);
			if (records.length === 0) continue;
			// A restore that has not ended asks for its consolidation itself; its job is not one of the new VM.
			const going = (await jobs.list({})).filter(({ state }) => !isTerminal(state));
			if (going.some((job) => job.vm?.uuid === uuid)) continue;
			if (records.some(({ record }) => going.some(({ id }) => id === record.job))) continue;
			const request = jobRequestSchema.parse({ type: "Consolidate", vm: uuid });
			await jobs.start(request, "knibd: the VM still stands on a repository");
			started.push(uuid);
		} catch (thrown) {
			onProblem(thrown);
		}
	}
	return started;
};

/** Looks again and again until stopped. */
export const startQuickKeeper = (options: Options): { readonly stop: () => void } => {
	const look = (): void => void lookForQuick(options).catch(options.onProblem);
	const timer = setInterval(look, LOOK_MS);
	timer.unref();
	look();
	return { stop: () => clearInterval(timer) };
};
