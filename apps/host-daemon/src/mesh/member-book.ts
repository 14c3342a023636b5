// The members of the mesh as the store says, kept in memory since every document of a peer is judged by them.
import {
	KnibError,
	type Member,
	matchIds,
	memberDocumentId,
	membersOf,
	type Role,
	readHostId,
	type SharedDocument,
	type Store,
} from "@knib/core";
import type { Replica } from "@knib/sync";
import { hostBodySchema } from "../catalog/bodies.ts";

type Deps = {
	readonly store: Store;
	readonly replica: Replica;
	readonly self: { readonly id: string; readonly name: string };
	/** The members have changed. */
	readonly onChange: () => void;
	readonly onProblem: (error: unknown) => void;
};
type Known = ReturnType<typeof membersOf>;

/** What is to be written of a member; what is absent stays as it is. */
type MemberChange = {
	readonly name?: string;
	readonly address?: string | undefined;
	readonly keySince?: string;
	readonly role?: Role;
	readonly removed?: true;
};

export const openMemberBook = async ({ store, replica, self, onChange, onProblem }: Deps) => {
	const read = async (): Promise<Known> => {
		const settings = await replica.list("setting");
		const shared = settings.filter((one): one is SharedDocument => one.way === "shared");
		const host = hostBodySchema.safeParse((await store.get("host", self.id))?.body);
		return membersOf(shared, self.id, host.data?.anchors ?? []);
	};
	let known = await read();
	let roles = new Map<string, Member>();
	const index = (): void => {
		roles = new Map(known.others.map((member) => [member.id, member]));
	};
	index();
	const refresh = async (): Promise<void> => {
		const next = await read();
		if (JSON.stringify(next) === JSON.stringify(known)) return;
		known = next;
		index();
		onChange();
	};
	let turn: Promise<void> = Promise.resolve();
	const queueRefresh = (): Promise<void> => {
		turn = turn.then(refresh).catch(onProblem);
		return turn;
	};
	const unsubscribe = replica.subscribe((kind) => {
		if (kind === "setting" || kind === "host") void queueRefresh();
	});

	/** A member, or one that was, by name, by id or a part of it, or by its id in groups. Throws NOT_FOUND, AMBIGUOUS_ID. */
	const find = (text: string): Member => {
		const { others } = known;
		const grouped = readHostId(text);
		const named = others.filter(({ name, removed }) => name === text && !removed);
		const byId = matchIds(others, grouped ?? text, ({ id }) => id);
		const matches = named.length > 0 ? named : byId;
		const [first] = matches;
		if (first === undefined) throw new KnibError("NOT_FOUND", `no peer ${text} is known`);
		if (matches.length === 1) return first;
		throw new KnibError("AMBIGUOUS_ID", `${text} matches ${matches.length} peers`, {
			details: { candidates: matches.map(({ id, name }) => `${id} ${name}`) },
		});
	};

	return {
		others: (): readonly Member[] => known.others,
		/** This host's own role, as the others see it. */
		own: (): Role => known.own,
		/** By which later keys this host has signed, as the documents have it. */
		ownSuccessions: (): readonly string[] => known.ownSuccessions,
		get: (id: string): Member | undefined => roles.get(id),
		find,
		refresh: queueRefresh,
		write: async (id: string, change: MemberChange): Promise<void> => {
			const document = memberDocumentId(id);
			const put = async (changed: Readonly<Record<string, unknown>>): Promise<void> => {
				const before = (await store.get("setting", document))?.body ?? {};
				await store.put("setting", document, { ...before, id: document, ...changed });
			};
			// A host that gave itself a role is believed by nobody; giving it the same one must be a write all the same.
			if (change.role !== undefined) await put({ role: undefined });
			await put(change);
			await queueRefresh();
		},
		/** Believes what a host says about roles: its code was brought here by an operator. */
		trust: async (id: string): Promise<void> => {
			const before = hostBodySchema.safeParse((await store.get("host", self.id))?.body).data ?? {
				id: self.id,
				name: self.name,
				repositories: {},
			};
			const anchors = [...new Set([...(before.anchors ?? []), id])];
			await store.put("host", self.id, { ...before, anchors });
			await queueRefresh();
		},
		close: unsubscribe,
	};
};
export type MemberBook = Awaited<ReturnType<typeof openMemberBook>>;
