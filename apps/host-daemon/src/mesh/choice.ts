// Which peers this host calls or awaits: those that the topology gives it, and others for as long as some of these are not reached.
import { keptPeers } from "@knib/core";

/** A chosen peer that was not linked at so many looks on end is out of reach. */
export const LOOKS_UNTIL_UNREACHED = 3;

/** Chooses anew at each look at the links. */
export const createChoice = (self: string) => {
	/** Looks on end at which a chosen peer was not linked. */
	const missed = new Map<string, number>();
	let base: ReadonlySet<string> = new Set();
	let chosen: ReadonlySet<string> = new Set();

	const isUnreached = (id: string): boolean => (missed.get(id) ?? 0) >= LOOKS_UNTIL_UNREACHED;

	const choose = (hosts: readonly string[]): void => {
		base = keptPeers(self, hosts);
		if (![...base].some(isUnreached)) {
			chosen = base;
		} else {
			const unreached = new Set(hosts.filter(isUnreached));
			chosen = new Set([...base, ...unreached, ...keptPeers(self, hosts, unreached)]);
		}
		for (const id of [...missed.keys()]) if (!chosen.has(id)) missed.delete(id);
	};

	return {
		/** Chooses among the hosts of now. */
		choose,
		/** Notes who is linked, then chooses. */
		look: (hosts: readonly string[], connected: readonly string[]): void => {
			for (const id of chosen) missed.set(id, (missed.get(id) ?? 0) + 1);
			for (const id of connected) missed.delete(id);
			choose(hosts);
		},
		/** True for a peer that this host keeps a link to, or tries to. */
		keeps: (id: string): boolean => chosen.has(id),
		/** True for a peer that stands in for others, which need not know that it is wanted. */
		standsIn: (id: string): boolean => chosen.has(id) && !base.has(id),
	};
};
export type Choice = ReturnType<typeof createChoice>;
