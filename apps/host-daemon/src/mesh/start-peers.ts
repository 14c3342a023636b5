// The peer half of the daemon put together, on the store that it shares with everything else.
import type { HostView, Store, VmView } from "@knib/core";
import type { Replica } from "@knib/sync";
import type { Config } from "../config.ts";
import type { Identity } from "../identity.ts";
import type { RunningJobService } from "../jobs/create-job-service.ts";
import { acceptIntents } from "./accept-intents.ts";
import { type ForeignViews, foreignViews } from "./foreign-views.ts";
import { createLiveHandler } from "./live-handler.ts";
import { type MeshService, startMesh } from "./mesh-service.ts";
import { type Publisher, startPublishing } from "./publish.ts";
import { createRemoteJobs, type RemoteJobs } from "./remote-jobs.ts";

/** What the control API needs of the peers. */
export type Peers = {
	readonly mesh: MeshService;
	readonly views: ForeignViews;
	readonly jobs: RemoteJobs;
	readonly publisher: Publisher;
};

type Deps = {
	readonly config: Config;
	readonly identity: Identity;
	readonly store: Store;
	readonly replica: Replica;
	readonly jobs: RunningJobService;
	readonly now: () => string;
	readonly uuid: () => string;
	readonly viewHost: () => Promise<HostView>;
	readonly listVms: () => Promise<readonly VmView[]>;
	readonly onProblem: (error: unknown) => void;
	/** Says that peers know this host by another key, or with null that they do not. */
	readonly alertKey: (words: string | null) => Promise<void>;
};

/** Opens the links to the peers and takes up what they ask. Rejects with CONFIG_INVALID when it cannot listen. */
export const startPeers = async (deps: Deps): Promise<Peers & { stop(): Promise<void> }> => {
	const { config, identity, store, replica, jobs, now, uuid, onProblem, alertKey } = deps;
	let started: MeshService | undefined;
	const handler = createLiveHandler({ jobs: () => jobs, peers: () => started });
	const mesh = await startMesh({
		...{ config, identity, store, replica, handler, now, onProblem, alertKey },
	});
	started = mesh;
	const self = identity.id;
	const views = foreignViews(store, mesh, now);
	const remote = createRemoteJobs({ store, peers: mesh, views, self, now, uuid, onProblem });
	const ready = jobs.recovered.catch(() => undefined);
	const intents = acceptIntents({ self, store, peers: mesh, jobs, ready, onProblem });
	const { viewHost, listVms } = deps;
	const hasPeers = (): boolean => mesh.members.others().some(({ removed }) => !removed);
	const host = { id: identity.id, name: identity.name };
	const publisher = startPublishing({
		...{ store, host, hasPeers, now, viewHost, listVms, onProblem },
	});
	let peers = "";
	const wake = mesh.subscribe(() => {
		const known = mesh.members
			.others()
			.map(({ id, removed }) => `${id}${removed}`)
			.join();
		if (known !== peers) publisher.wake();
		peers = known;
	});
	remote.settle().catch(onProblem);
	return {
		mesh,
		views,
		jobs: remote,
		publisher,
		stop: async () => {
			wake();
			remote.stop();
			await intents.stop();
			await publisher.stop();
			await mesh.stop();
		},
	};
};
