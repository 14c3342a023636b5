import type { ChainView } from "@knib/core";
import { short, size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { type Line, span } from "../view/frame.ts";
import { blockedRows } from "./blocked-rows.ts";
import { CHAIN_COLUMNS, chainRows, membersOf, treeRows } from "./chain-rows.ts";
import { emptyWords, fact, noTarget, type Screen } from "./screen.ts";

/** Chains of all VMs as trees. */
export const chains: Screen = {
	title: () => "Chains",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: false,
		columns: CHAIN_COLUMNS,
		empty: emptyWords(state, "chains", "no chains yet: on a VM (2), b starts the first backup"),
		rows: chainRows(state, null),
	}),
};

const chainHead = (state: State, chain: ChainView): readonly Line[] => {
	const members = membersOf(chain, state.data.backups ?? []);
	const proven = members.findLast((one) => one.proof !== null && one.proof.level !== "copied");
	return [
		[
			span(` ${chain.vm.name} `, "bold"),
			span(` chain ${short(chain.id)}  `),
			span(chain.state, chain.state === "open" ? "good" : "dim"),
			span(chain.endReason === null ? "" : `  ${chain.endReason}`, "dim"),
		],
		fact("where", `repository ${chain.repository}, ${size(chain.size)}`),
		fact(
			"newest proven",
			proven?.proof == null ? "none" : `${short(proven.id)} ${proven.proof.level}`,
			proven === undefined ? "warn" : "good",
		),
		fact("depends", "each backup needs all above it in this list"),
		...chain.problems.map((text) => fact("problem", text, "bad")),
	];
};

/** One chain: its backups, each on those above it, and what cannot be done with it now. */
export const chain: Screen = {
	title: (_, route) => `Chain ${short(route.id)}`,
	target: ({ id }) => (id === null ? null : { kind: "chain", id }),
	body: (state, { id }) => {
		const found = state.data.chains?.find((one) => one.id === id);
		const shape = { sortable: false, columns: CHAIN_COLUMNS };
		if (found === undefined) {
			const words = emptyWords(state, "chains", "it is not there any more");
			return { ...shape, empty: "", head: [fact("chain", words)], rows: [] };
		}
		return {
			...shape,
			head: chainHead(state, found),
			empty: emptyWords(state, "backups", "its backups are not known here"),
			rows: [
				...treeRows(membersOf(found, state.data.backups ?? [])),
				...blockedRows(state.blocked[found.id]),
			],
		};
	},
};
