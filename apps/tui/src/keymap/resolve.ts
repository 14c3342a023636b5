import type { State, Target } from "../app/state.ts";
import { type Shown, shownIn, targetsIn } from "../screens/rows.ts";
import { type Binding, KEYMAP } from "./keymap.ts";

/** A binding with what it acts on. */
export type Bound = { readonly binding: Binding; readonly target: Target | null };

/** All bindings that count now, nearest target first. */
export const boundIn = (state: State, shown: Shown = shownIn(state)): readonly Bound[] => {
	const kinds = new Map<string, Target>();
	for (const target of targetsIn(state, shown))
		if (!kinds.has(target.kind)) kinds.set(target.kind, target);
	const near = [...kinds.values()].flatMap((target) =>
		KEYMAP.filter((one) => one.context === target.kind).map((binding) => ({ binding, target })),
	);
	const global = KEYMAP.filter((one) => one.context === "global");
	const all: readonly Bound[] = [...near, ...global.map((binding) => ({ binding, target: null }))];
	// A key that a nearer target has is not offered a second time.
	const taken = new Set<string>();
	return all.filter(({ binding }) => {
		// What has no key is there by its name.
		const free = binding.keys.length === 0 || binding.keys.some((key) => !taken.has(key));
		for (const key of binding.keys) taken.add(key);
		return free;
	});
};

/** What a key means now. */
export const resolve = (state: State, key: string): Bound | undefined =>
	boundIn(state).find(({ binding }) => binding.keys.includes(key));

/** What makes something new needs nothing that is there. */
const MAKES: ReadonlySet<string> = new Set(["add", "invite", "join"]);

const stateReason = (state: State, { binding, target }: Bound): string | null => {
	const job = state.data.jobs?.find((one) => one.id === target?.id);
	const ended = job?.endedAt !== null && job?.state !== "executing" && job?.state !== "waiting";
	if (binding.action === "cancel" && job !== undefined && ended)
		return `the job is ${job.state} already`;
	if (binding.action === "retry" && !ended) return "the job has not ended";
	if (target?.id === "" && !MAKES.has(binding.action)) return "nothing is selected";
	const backup = state.data.backups?.find((one) => one.id === target?.id);
	if (binding.action === "pin" && backup?.pinned === true) return "it is pinned already";
	if (binding.action === "unpin" && backup?.pinned === false) return "it is not pinned";
	if (binding.action === "undelete" && backup?.status !== "Removed") return "it is not deleted";
	const blocked = state.blocked[target?.id ?? ""]?.find((one) => one.action === binding.action);
	return blocked === undefined ? null : `it cannot be done now: ${blocked.reason}`;
};

/** Why a binding does nothing now; null when it does. */
export const disabledReason = (state: State, bound: Bound): string | null => {
	if (!bound.binding.changes) return null;
	if (state.readOnly) return "started with --read-only: nothing is changed";
	if (state.link.state !== "connected") return "the daemon cannot be reached";
	return stateReason(state, bound);
};
