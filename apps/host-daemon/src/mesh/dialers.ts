// One link a pair of peers that keep each other: the lower id calls; where the higher one does not listen it calls itself.
import type { Member } from "@knib/core";
import {
	dialPeer,
	isDialer,
	type KeyRules,
	keepDialing,
	type Link,
	splitAddress,
} from "@knib/sync";
import { createChoice } from "./choice.ts";

type Deps = {
	readonly self: string;
	readonly rules: KeyRules;
	readonly listens: () => boolean;
	readonly connected: () => readonly string[];
	/** True for a peer that was never linked. */
	readonly isNew: (peer: string) => boolean;
	readonly onLink: (link: Link, ended?: () => void) => void;
	/** A peer that this host called is not kept any more. */
	readonly onLeft: (peer: string) => void;
};

/** Keeps calling those members that this host has to call. */
export const createDialers = (deps: Deps) => {
	const { self, rules, listens, connected, isNew, onLink, onLeft } = deps;
	const choice = createChoice(self);
	const open = new Map<string, { readonly address: string; readonly stop: () => void }>();
	const calling = new Set<string>();
	/** Peers that were called once and answered. */
	const answered = new Set<string>();
	let stopped = false;
	const mustCall = ({ id }: Member): boolean => isDialer(self, id) || !listens();
	const isOpen = (id: string): boolean => connected().includes(id);
	const kept = (members: readonly Member[]): readonly Member[] =>
		members.filter(({ id, removed, address }) => !removed && address !== null && choice.keeps(id));

	const follow = (members: readonly Member[]): void => {
		const targets = new Map(
			kept(members)
				.filter(mustCall)
				.map(({ id, address }) => [id, address ?? ""] as const),
		);
		for (const [id, { address, stop }] of [...open]) {
			if (targets.get(id) === address) continue;
			stop();
			open.delete(id);
			if (!choice.keeps(id)) onLeft(id);
		}
		for (const [id, address] of targets) {
			const place = splitAddress(address);
			if (open.has(id) || place === undefined) continue;
			const stop = keepDialing({ ...rules, peer: id, ...place }, onLink);
			open.set(id, { address, stop });
		}
	};
	/** Calls once a peer that should call but may not know that it is wanted. Who does not answer is called at the next look. */
	const callOnce = ({ id, address }: Member): void => {
		const place = splitAddress(address ?? "");
		if (place === undefined || calling.has(id)) return;
		calling.add(id);
		void dialPeer({ ...rules, peer: id, ...place })
			.then(
				(link) => {
					if (stopped || isOpen(id)) link.close("there is a link already");
					else {
						answered.add(id);
						onLink(link);
					}
				},
				() => undefined,
			)
			.finally(() => calling.delete(id));
	};
	const hostsOf = (members: readonly Member[]): readonly string[] =>
		members.filter(({ removed }) => !removed).map(({ id }) => id);

	return {
		/** True for a peer that this host keeps a link to, or tries to. */
		keeps: choice.keeps,
		/** Makes the calls fit the members. */
		sync: (members: readonly Member[]): void => {
			choice.choose(hostsOf(members));
			follow(members);
		},
		/** Looks who is linked, and takes others for those that are not. To be called every few seconds. */
		look: (members: readonly Member[]): void => {
			choice.look(hostsOf(members), connected());
			follow(members);
			for (const id of [...answered]) {
				if (choice.keeps(id)) continue;
				answered.delete(id);
				onLeft(id);
			}
			for (const member of kept(members)) {
				const { id } = member;
				if (mustCall(member) || isOpen(id)) continue;
				if (choice.standsIn(id) || isNew(id)) callOnce(member);
			}
		},
		stop: (): void => {
			stopped = true;
			for (const { stop } of open.values()) stop();
			open.clear();
		},
	};
};
