// Requests of other hosts to this one: checked against the sender's role, then started as jobs under the request's own id. Whether
// that was done already is seen by the job, which is durable before anything of it is done.
import {
	type IntentBody,
	intentBodySchema,
	jobRequestSchema,
	KnibError,
	type Store,
} from "@knib/core";
import type { RunningJobService } from "../jobs/create-job-service.ts";
import type { MeshService } from "./mesh-service.ts";

type Deps = {
	readonly self: string;
	readonly store: Store;
	readonly peers: Pick<MeshService, "members" | "nameOf">;
	readonly jobs: Pick<RunningJobService, "startAsked">;
	/** Resolves when interrupted work was taken up. */
	readonly ready: Promise<void>;
	readonly onProblem: (error: unknown) => void;
};

/** Refuses what the sender's role does not allow. Throws REFUSED. */
export const assertMayAsk = (peers: Deps["peers"], sender: string): void => {
	const role = peers.members.get(sender)?.role ?? "viewer";
	if (role !== "viewer" && peers.members.get(sender)?.removed === false) return;
	throw new KnibError("REFUSED", `host ${peers.nameOf(sender)} may only look here (${role})`, {
		details: { hint: "an admin changes that with `knib peer role`" },
	});
};

/** Takes up what was asked while this host was away, and what comes from now on. Returns what ends that. */
export const acceptIntents = ({ self, store, peers, jobs, ready, onProblem }: Deps) => {
	const consider = async (id: string, sender: string, intent: IntentBody): Promise<void> => {
		const check = (): ReturnType<typeof jobRequestSchema.parse> => {
			assertMayAsk(peers, sender);
			const request = jobRequestSchema.safeParse(intent.request);
			if (request.success) return request.data;
			throw new KnibError("USAGE", `the request is not understood: ${request.error.message}`);
		};
		await jobs.startAsked(id, intent.request, check, `${intent.user} on ${peers.nameOf(sender)}`);
	};
	let turn: Promise<void> = ready;
	const queue = (id: string, sender: string, body: unknown): void => {
		const intent = intentBodySchema.safeParse(body).data;
		if (intent === undefined || intent.target !== self || sender === self) return;
		turn = turn.then(() => consider(id, sender, intent)).catch(onProblem);
	};
	const stop = store.subscribe("intent", (change) => {
		if (change.type === "put")
			queue(change.document.id, change.document.owner, change.document.body);
	});
	store
		.foreign("intent")
		.then((all) => {
			for (const { id, owner, body } of all) queue(id, owner, body);
		})
		.catch(onProblem);
	return {
		stop: async (): Promise<void> => {
			stop();
			await turn.catch(() => undefined);
		},
	};
};
