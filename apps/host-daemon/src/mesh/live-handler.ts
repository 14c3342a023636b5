// What this host answers to its peers live: plans, logs and progress of its jobs. Who may only look cannot plan or cancel.
import { jobRequestSchema, KnibError } from "@knib/core";
import type { LiveHandler } from "@knib/sync";
import { z } from "zod";
import type { JobService } from "../jobs/job-service.ts";
import { assertMayAsk } from "./accept-intents.ts";
import type { MeshService } from "./mesh-service.ts";

const jobSchema = z.object({ job: z.string().max(100) });
const planSchema = z.object({ request: jobRequestSchema });

type Deps = {
	/** Undefined until the daemon has started its jobs. */
	readonly jobs: () => JobService | undefined;
	readonly peers: () => Pick<MeshService, "members" | "nameOf"> | undefined;
};

const unknown = (what: string): KnibError =>
	new KnibError("USAGE", `this host does not know ${what}`, {
		details: { hint: "the hosts run different versions of knib: upgrade the older one" },
	});

export const createLiveHandler = ({ jobs, peers }: Deps): LiveHandler => {
	const parts = () => {
		const [service, mesh] = [jobs(), peers()];
		if (service !== undefined && mesh !== undefined) return { service, mesh };
		throw new KnibError("INTERRUPTED", "this host is starting");
	};
	return {
		call: async (peer, method, params) => {
			const { service, mesh } = parts();
			switch (method) {
				case "job.log":
					return await service.log(jobSchema.parse(params).job);
				case "job.plan":
					assertMayAsk(mesh, peer);
					return await service.plan(planSchema.parse(params).request);
				case "job.cancel":
					assertMayAsk(mesh, peer);
					return await service.cancel(jobSchema.parse(params).job);
				default:
					throw unknown(method);
			}
		},
		stream: async function* (_peer, topic, params, signal) {
			if (topic !== "job.watch") throw unknown(topic);
			yield* parts().service.watch(jobSchema.parse(params).job, signal);
		},
	};
};
