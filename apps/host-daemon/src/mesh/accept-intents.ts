// Requests of other hosts to this one: checked against the sender's role, then started as jobs under the request's own id. Whether
// that was done already is seen by the job, which is durable before anything of it is done.
import {
	asKnibError,
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

/** How long a request waits until libvirt is asked again, ms. */
const AGAIN_MS = 5000;

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
	let stopped = false;
	let turn: Promise<void> = ready;
	/** What waits for libvirt, by id, with what takes it up again. */
	const later = new Map<string, NodeJS.Timeout>();
	const forget = (id: string): void => {
		clearTimeout(later.get(id));
		later.delete(id);
	};
	const queue = (id: string, sender: string, body: unknown): void => {
		const intent = intentBodySchema.safeParse(body).data;
		if (intent === undefined || intent.target !== self || sender === self) return;
		forget(id);
		const again = (thrown: unknown): void => {
			if (asKnibError(thrown).code !== "LIBVIRT_UNREACHABLE") onProblem(thrown);
			else if (!stopped) later.set(id, setTimeout(queue, AGAIN_MS, id, sender, body));
		};
		turn = turn.then(() => consider(id, sender, intent)).catch(again);
	};
	const stop = store.subscribe("intent", ({ type, document }) => {
		if (type === "put") queue(document.id, document.owner, document.body);
		else forget(document.id);
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
			stopped = true;
			for (const id of later.keys()) forget(id);
			await turn.catch(() => undefined);
		},
	};
};
