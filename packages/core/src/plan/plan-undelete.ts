// Decides how a deleted backup comes back: unmarked in its chain, or out of the trash with its whole sweep. Pure.
import type { Chain } from "../domain/chain.ts";
import { shortId } from "../domain/ids.ts";
import { type AdmissionFacts, admit } from "./admission.ts";
import { type Refusal, refuse } from "./plan.ts";

/** A backup in the trash. */
export type TrashedBackup = {
	/** Name of its entry. */
	readonly entry: string;
	readonly id: string;
	readonly chain: string;
	readonly sequence: number;
	readonly parent: { readonly id: string; readonly identityDigest: string } | null;
	/** Ids of all that went with it, itself included. */
	readonly sweep: readonly string[];
};

export type UndeleteFacts = {
	readonly backup: string;
	/** Its chain as it is now, empty of members when all are in the trash; null when it is in none. */
	readonly chain: Chain | null;
	readonly admission: AdmissionFacts;
	/** All backups of that chain in the trash. */
	readonly trash: readonly TrashedBackup[];
};

/** What is to be done: entries to be moved back, the oldest first, then the mark of the backup taken away. */
export type UndeletePlan = {
	readonly entries: readonly TrashedBackup[];
	readonly explain: readonly string[];
};

const standsOn = (wanted: TrashedBackup, chain: Chain | null): boolean => {
	const { parent } = wanted;
	const newest = chain?.members.at(-1)?.manifest;
	if (parent === null) return newest === undefined;
	return newest?.identity.id === parent.id && newest.identityDigest === parent.identityDigest;
};

const fromTrash = (facts: UndeleteFacts, wanted: TrashedBackup): UndeletePlan | Refusal => {
	const name = `backup ${facts.backup} does not come back`;
	const entries = facts.trash
		.filter((one) => wanted.sweep.includes(one.id))
		.toSorted((a, b) => a.sequence - b.sequence);
	const missing = wanted.sweep.filter((id) => !entries.some((one) => one.id === id));
	if (missing.length > 0) {
		return refuse(
			"REFUSED",
			`${name}: ${missing.map(shortId).join(", ")}, deleted together with it, is gone from the trash`,
			{ missing },
		);
	}
	const [oldest] = entries;
	if (oldest === undefined || !standsOn(oldest, facts.chain)) {
		const parent = oldest?.parent?.id;
		const there = parent === undefined ? undefined : facts.trash.find((one) => one.id === parent);
		return refuse(
			"REFUSED",
			parent === undefined
				? `${name}: other backups have taken its place`
				: `${name}: its parent ${parent} is not the newest of its chain`,
			there === undefined ? {} : { hint: `bring back ${parent} first: it is in the trash` },
		);
	}
	const others = entries.filter((one) => one.id !== facts.backup).map((one) => shortId(one.id));
	return {
		entries,
		explain: [
			`backup ${facts.backup} comes back from the trash`,
			...(others.length === 0 ? [] : [`${others.join(", ")} come back with it`]),
		],
	};
};

/** The plan of an undeletion, or why it is refused. */
export const planUndelete = (facts: UndeleteFacts): UndeletePlan | Refusal => {
	const { backup, admission } = facts;
	if (admission.members.some((member) => member.id === backup)) {
		const [first] = admit("undelete", backup, admission);
		if (first !== undefined) {
			return refuse(first.code, `backup ${backup} is not brought back: ${first.reason}`);
		}
		return { entries: [], explain: [`backup ${backup} is no longer marked as removed`] };
	}
	const wanted = facts.trash.find((one) => one.id === backup);
	if (wanted === undefined) {
		return refuse("NOT_FOUND", `backup ${backup} is neither in its chain nor in the trash`);
	}
	return fromTrash(facts, wanted);
};
