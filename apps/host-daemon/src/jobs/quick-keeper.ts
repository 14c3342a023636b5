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
	const all = await jobs.list({});
	const busy = new Set(all.flatMap((job) => (isTerminal(job.state) ? [] : [job.vm?.uuid ?? ""])));
	for (const { uuid } of await hypervisor.list()) {
		try {
			const vm = busy.has(uuid) ? undefined : await hypervisor.vm(uuid);
			if (vm === undefined || (await findQuick(vm)).length === 0) continue;
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
