// What a host tells its peers of itself and its VMs, written only when it has changed, and only when there is anybody to tell.
import { asKnibError, canonicalJson, type HostView, type Store, type VmView } from "@knib/core";
import { hostBodySchema, hostFactsSchema, seenVmSchema, vmBodySchema } from "../catalog/bodies.ts";

type Deps = {
	readonly store: Store;
	readonly host: { readonly id: string; readonly name: string };
	readonly hasPeers: () => boolean;
	readonly now: () => string;
	readonly viewHost: () => Promise<HostView>;
	readonly listVms: () => Promise<readonly VmView[]>;
	readonly onProblem: (error: unknown) => void;
};

/** How often the host and its VMs are looked at for the peers, ms. */
const LOOK_MS = 60_000;

const plain = (body: unknown): string => canonicalJson(JSON.parse(JSON.stringify(body)));

const putIfNew = async (
	store: Store,
	kind: "host" | "vm",
	id: string,
	change: (before: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>,
): Promise<void> => {
	const before = (await store.get(kind, id))?.body ?? {};
	const after = change(before);
	if (plain(before) !== plain(after)) await store.put(kind, id, after);
};

/** Publishes now and then. */
export const startPublishing = (deps: Deps) => {
	const { store, host, hasPeers, now, viewHost, listVms, onProblem } = deps;
	const publishHost = async (): Promise<void> => {
		const facts = hostFactsSchema.parse(await viewHost());
		await putIfNew(store, "host", host.id, (before) => {
			const body = hostBodySchema.safeParse(before).data ?? { repositories: {} };
			const { problems, startedAt, version, libvirt, qemu, scratchDirectory, vms } = facts;
			const told = { problems, startedAt, version, libvirt, qemu, scratchDirectory, vms };
			return { ...body, id: host.id, name: host.name, facts: told };
		});
	};
	const publishVms = async (views: readonly VmView[]): Promise<void> => {
		const present = new Set(views.map(({ uuid }) => uuid));
		for (const view of views) {
			const seen = seenVmSchema.parse(view);
			await putIfNew(store, "vm", view.uuid, (before) =>
				plain(before["seen"] ?? null) === plain(seen)
					? before
					: { ...before, id: view.uuid, seen, seenAt: now() },
			);
		}
		for (const { id, body } of await store.list("vm")) {
			const known = vmBodySchema.safeParse(body).data;
			if (known?.seen === undefined || present.has(id)) continue;
			const { seen: _, seenAt: __, ...rest } = known;
			await store.put("vm", id, rest);
		}
	};
	const look = async (): Promise<void> => {
		if (!hasPeers()) return;
		await publishHost();
		const views = await listVms().catch(asKnibError);
		// What cannot be read is not told anew: the peers keep what they were told, with its age.
		if (Array.isArray(views)) await publishVms(views);
	};
	let turn: Promise<void> = Promise.resolve();
	const wake = (): void => {
		turn = turn.then(look).catch(onProblem);
	};
	const timer = setInterval(wake, LOOK_MS);
	timer.unref();
	wake();
	return {
		/** Looks at once: something has changed. */
		wake,
		stop: async (): Promise<void> => {
			clearInterval(timer);
			await turn;
		},
	};
};
export type Publisher = ReturnType<typeof startPublishing>;
