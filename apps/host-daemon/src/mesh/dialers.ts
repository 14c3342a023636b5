// One link a pair: the lower id calls; where the higher one does not listen it calls itself.
import type { KeyObject } from "node:crypto";
import type { Member } from "@knib/core";
import { isDialer, keepDialing, type Link, splitAddress } from "@knib/sync";

type Deps = {
	readonly self: string;
	readonly privateKey: KeyObject;
	readonly listens: () => boolean;
	readonly onLink: (link: Link, ended: () => void) => void;
};

/** Keeps calling those members that this host has to call. */
export const createDialers = ({ self, privateKey, listens, onLink }: Deps) => {
	const open = new Map<string, { readonly address: string; readonly stop: () => void }>();
	const wanted = (member: Member): boolean =>
		!member.removed && member.address !== null && (isDialer(self, member.id) || !listens());
	return {
		/** Makes the calls fit the members. */
		sync: (members: readonly Member[]): void => {
			const targets = new Map(
				members.filter(wanted).map(({ id, address }) => [id, address ?? ""] as const),
			);
			for (const [id, { address, stop }] of [...open]) {
				if (targets.get(id) === address) continue;
				stop();
				open.delete(id);
			}
			for (const [id, address] of targets) {
				const place = splitAddress(address);
				if (open.has(id) || place === undefined) continue;
				const stop = keepDialing({ privateKey, peer: id, ...place }, onLink);
				open.set(id, { address, stop });
			}
		},
		stop: (): void => {
			for (const { stop } of open.values()) stop();
			open.clear();
		},
	};
};
