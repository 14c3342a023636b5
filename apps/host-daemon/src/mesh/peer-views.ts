// Peers as commands print them.
import { type KeyView, keyNumber, type Member, type PeerShown, type PeerView } from "@knib/core";
import type { Mesh } from "@knib/sync";
import type { KeyBook } from "./key-book.ts";
import type { LastSeen } from "./last-seen.ts";

type Deps = {
	readonly mesh: Pick<Mesh, "connected" | "lag" | "counts" | "skew">;
	readonly seen: Pick<LastSeen, "at">;
	readonly keys: Pick<KeyBook, "known">;
	/** True for a peer that this host keeps a link to, or tries to. */
	readonly keeps: (id: string) => boolean;
	readonly now: () => string;
};

/** A clock that is farther from this host's is told. */
const SKEW_MS = 2000;

type Binding = { readonly removed: boolean; readonly kept: boolean; readonly isOpen: boolean };

/** A peer whose link is not kept is none that this host fails to reach. */
const stateOf = ({ removed, kept, isOpen }: Binding): PeerView["state"] => {
	if (removed) return "removed";
	if (isOpen) return "connected";
	return kept ? "reconnecting" : "through-others";
};

/** Views of the members. */
export const createPeerViews = ({ mesh, seen, keys, keeps, now }: Deps) => {
	const ageOf = (at: number | null): number =>
		at === null ? 0 : Math.max(0, Date.parse(now()) - at);
	const key = ({ id, keySince }: Member): KeyView => {
		const number = Math.max(1, keyNumber(keys.known(id) ?? ""));
		return { number, since: number === 1 ? null : keySince };
	};
	const view = (member: Member): PeerView => {
		const { id, removed } = member;
		const isOpen = mesh.connected().includes(id);
		const kept = !removed && keeps(id);
		const state = stateOf({ removed, kept, isOpen });
		// What it had read when a link was last open is not what it has now: it reads from others.
		const lag = state === "through-others" ? undefined : mesh.lag(id);
		return {
			...{ id, name: member.name, address: member.address, role: member.role },
			...{ state, kept },
			lastSeen: isOpen ? now() : seen.at(id),
			lagDocuments: lag?.documents ?? null,
			lagMs: lag === undefined ? null : ageOf(lag.oldestAt),
			key: key(member),
		};
	};
	const show = (member: Member): PeerShown => {
		const { accepted, dropped, garbage, unexpected } = mesh.counts(member.id);
		const skewMs = mesh.skew(member.id) ?? null;
		const skewed = skewMs !== null && Math.abs(skewMs) > SKEW_MS;
		const words = skewed ? [`its clock is ${(skewMs / 1000).toFixed(1)} s from this host's`] : [];
		return {
			...view(member),
			received: { accepted, dropped, garbage, unexpected },
			skewMs,
			warnings: words,
		};
	};
	return { key, view, show };
};
