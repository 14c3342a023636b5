// What other hosts were last known to have, from their documents: shown with their host, and with its age when it is unreachable.
import {
	type HostView,
	type Job,
	type JobView,
	jobSchema,
	type Member,
	type Store,
	type VmView,
} from "@knib/core";
import { hostBodySchema, vmBodySchema } from "../catalog/bodies.ts";
import type { MeshService } from "./mesh-service.ts";

type Peers = Pick<
	MeshService,
	"members" | "isConnected" | "isKept" | "lastSeen" | "nameOf" | "keyOf"
>;

const ageWords = (now: string, seen: string): string => {
	const minutes = Math.max(0, Math.round((Date.parse(now) - Date.parse(seen)) / 60_000));
	if (minutes < 120) return `${minutes} min`;
	return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
};

const UNKNOWN = {
	problems: [],
	startedAt: null,
	version: "unknown",
	libvirt: null,
	qemu: null,
	scratchDirectory: "",
	vms: null,
} as const;

/** Views of what other hosts own. */
export const foreignViews = (store: Store, peers: Peers, now: () => string) => {
	/** When the host was last seen; null while it is connected, whose documents are of now. */
	const asOf = (host: string): string | null =>
		peers.isConnected(host) || peers.members.get(host) === undefined ? null : peers.lastSeen(host);

	const hostView = async (member: Member): Promise<HostView> => {
		const stored = (await store.foreign("host")).find(({ owner }) => owner === member.id);
		const facts = hostBodySchema.safeParse(stored?.body).data?.facts ?? UNKNOWN;
		const seen = peers.lastSeen(member.id);
		const connected = peers.isConnected(member.id);
		const absent =
			seen === null ? "it was never connected" : `not reached for ${ageWords(now(), seen)}`;
		const gone = peers.isKept(member.id) ? absent : "no link is kept to it: others pass it on";
		const online = facts.problems.length === 0 ? "online" : "degraded";
		const { problems, startedAt, version, libvirt, qemu, scratchDirectory, vms } = facts;
		return {
			...{ startedAt, version, libvirt, qemu, scratchDirectory, vms },
			id: member.id,
			name: member.name,
			self: false,
			state: connected ? online : "unreachable",
			problems: connected ? problems : [gone],
			seenAt: seen ?? "",
			key: peers.keyOf(member),
		};
	};

	const jobView = ({ request: _, ...job }: Job, owner: string): JobView => ({
		...job,
		host: peers.nameOf(owner),
		progress: null,
	});

	return {
		asOf,
		hosts: async (): Promise<readonly HostView[]> =>
			Promise.all(
				peers.members
					.others()
					.filter(({ removed }) => !removed)
					.map(hostView),
			),
		host: hostView,
		/** What ails a host by its own word. */
		problems: async (host: string): Promise<readonly string[]> => {
			const stored = (await store.foreign("host")).find(({ owner }) => owner === host);
			return hostBodySchema.safeParse(stored?.body).data?.facts?.problems ?? [];
		},
		vms: async (): Promise<readonly VmView[]> =>
			(await store.foreign("vm")).flatMap(({ owner, body }) => {
				const seen = vmBodySchema.safeParse(body).data?.seen;
				if (seen === undefined) return [];
				return [{ ...seen, host: peers.nameOf(owner), hostId: owner, asOf: asOf(owner) }];
			}),
		jobs: async (): Promise<readonly JobView[]> =>
			(await store.foreign("job")).flatMap(({ owner, body }) => {
				const job = jobSchema.safeParse(body).data;
				return job === undefined ? [] : [jobView(job, owner)];
			}),
		/** One job and its host. */
		job: async (id: string): Promise<{ view: JobView; owner: string } | undefined> => {
			const found = (await store.foreign("job")).find((one) => one.id === id);
			const job = jobSchema.safeParse(found?.body).data;
			if (found === undefined || job === undefined) return undefined;
			return { view: jobView(job, found.owner), owner: found.owner };
		},
	};
};
export type ForeignViews = ReturnType<typeof foreignViews>;
