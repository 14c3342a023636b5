// This host's own key: what is shown of it, how another one takes its place, and whether peers know it by other keys.
import { continues, type KeyView, KnibError, keyNumber, keysOf, MOST_KEYS } from "@knib/core";
import { proveSuccession } from "@knib/sync";
import type { Change } from "../catalog/change.ts";
import type { Identity } from "../identity.ts";

type Deps = {
	readonly identity: Pick<Identity, "key" | "keySince" | "rotate">;
	readonly now: () => string;
	/** The key is another one, and durable: what shows the old one is to be made anew. */
	readonly onRotated: () => Promise<void>;
	/** There is a problem with the key, in words. */
	readonly onProblem: (words: string) => void;
};

const HINT =
	"stop knibd and bring back the newest state directory, or at least its identity.pem; where that is lost, remove this host " +
	"on another one (`knib peer remove`), move its state directory away, and pair it anew";

export const createOwnKey = ({ identity, now, onRotated, onProblem }: Deps) => {
	/** A proven succession that goes on from this host's, or branches off from it. */
	let other: string | undefined;
	const succession = (): string => identity.key().succession;
	const number = (): number => keyNumber(succession());
	const view = (): KeyView => ({ number: number(), since: identity.keySince() });
	const isReplaced = (): boolean => other !== undefined && continues(other, succession());
	const problem = (): string | null => {
		if (other === undefined) return null;
		const why = isReplaced()
			? `key ${number()} of this host was replaced by key ${keyNumber(other)}, and peers refuse it`
			: "a peer knows this host by keys that it has not: it was brought back from before its key was changed, or somebody has an old key of it";
		return `${why}; ${HINT}`;
	};

	return {
		view,
		/** What is wrong with the key, in words; null when nothing is. */
		problem,
		/** Takes up what somebody says that this host's keys are. What is not proven, or no news, is nothing. */
		hear: (said: string): void => {
			const isOwn = keysOf(said)?.[0] === keysOf(succession())?.[0];
			if (!isOwn || isReplaced() || continues(succession(), said)) return;
			if (said === other || proveSuccession(said) === undefined) return;
			other = said;
			onProblem(problem() ?? "");
		},
		/** The change that gives this host another key. Rejects with REFUSED. */
		rotate: async (): Promise<Change<KeyView>> => {
			if (isReplaced()) throw new KnibError("REFUSED", problem() ?? "");
			const next = number() + 1;
			if (next > MOST_KEYS) {
				throw new KnibError("REFUSED", `this host has had ${MOST_KEYS} keys, more are not taken`, {
					details: {
						hint: "remove it on another host, and pair it anew with an empty state directory",
					},
				});
			}
			return {
				type: "KeyRotation",
				explain: [
					`gives this host its key ${next}; its id stays`,
					"peers take it by what the key before has signed, also those that are away now",
					"links to peers are made anew, and jobs go on",
				],
				warnings: [
					"a state directory of before is of no use to peers from then on: back it up anew",
				],
				apply: async () => {
					await identity.rotate(now());
					await onRotated();
					return view();
				},
			};
		},
	};
};
export type OwnKey = ReturnType<typeof createOwnKey>;
