// Chains as trees: a chain, then its backups oldest first, each on the one below it, then what belongs to no chain.
import type { BackupBrief, ChainView } from "@knib/core";
import { short, size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { span } from "../view/frame.ts";
import { minute, signOf, stateSpan } from "../view/signs.ts";
import type { Cell, Column, Row } from "./screen.ts";

/** Columns of a tree of chains. */
export const CHAIN_COLUMNS: readonly Column[] = [
	{ head: "CHAIN", width: 13 },
	{ head: "KIND", width: 11, from: 60 },
	{ head: "SIZE", width: 9, right: true, from: 60 },
	{ head: "PROOF", width: 10 },
	{ head: "STATE", width: 13 },
	{ head: "POINT IN TIME", width: 0 },
];

/** The highest proof of a backup. */
export const proofCell = (backup: BackupBrief): Cell => {
	if (backup.validationStatus === "NotValid") return span(`${signOf("bad")} NotValid`, "bad");
	if (backup.proof === null) return span("-", "dim");
	const { level } = backup.proof;
	return level === "copied" ? span("  copied") : span(`${signOf("good")} ${level}`, "good");
};

const flagsOf = (backup: BackupBrief): string =>
	[
		backup.pinned ? "pinned" : "",
		backup.compressionStatus === "Uncompressed" ? "" : backup.compressionStatus.toLowerCase(),
		...backup.labels,
	]
		.filter((text) => text !== "")
		.join(", ");

/** A backup as the cells of a tree. */
export const backupRow = (backup: BackupBrief, branch: string): Row => ({
	id: backup.id,
	target: { kind: "backup", id: backup.id },
	open: { screen: "backup", id: backup.id },
	get cells() {
		return [
			span(`${branch}${short(backup.id)}`, "bold"),
			span(backup.kind ?? "-"),
			{ ...span(size(backup.size)), key: backup.size },
			proofCell(backup),
			stateSpan(backup.status),
			span(`${minute(backup.pointInTime ?? backup.createdAt)}  ${flagsOf(backup)}`.trimEnd()),
		];
	},
});

const provenOf = (members: readonly BackupBrief[]): Cell => {
	const proven = members.filter((one) => one.proof !== null && one.proof.level !== "copied").length;
	return span(`${proven}/${members.length} proven`, proven === 0 ? "warn" : "dim");
};

const chainRow = (chain: ChainView, members: readonly BackupBrief[], name: boolean): Row => ({
	id: chain.id,
	target: { kind: "chain", id: chain.id },
	open: { screen: "chain", id: chain.id },
	cells: [
		span(`▾ ${short(chain.id)}`, "accent"),
		span(`${chain.backups.length} in chain`, "dim"),
		span(size(chain.size)),
		provenOf(members),
		span(chain.state, chain.state === "open" ? "good" : "dim"),
		span(
			[
				name ? chain.vm.name : "",
				`in ${chain.repository}`,
				chain.endReason ?? "",
				...chain.problems,
			]
				.filter((one) => one !== "")
				.join("  "),
			chain.problems.length > 0 ? "bad" : "bold",
		),
	],
});

/** The known members of a chain, oldest first. */
export const membersOf = (
	chain: ChainView,
	backups: readonly BackupBrief[],
): readonly BackupBrief[] => {
	const ids = new Set(chain.backups);
	const byId = new Map(backups.flatMap((one) => (ids.has(one.id) ? [[one.id, one] as const] : [])));
	return chain.backups.flatMap((id) => byId.get(id) ?? []);
};

/** The backups of one chain as a tree. */
export const treeRows = (members: readonly BackupBrief[]): readonly Row[] =>
	members.map((one, index) => backupRow(one, index === members.length - 1 ? "  └ " : "  ├ "));

/** The chains of a VM, or of all, newest chain first. */
export const chainRows = (state: State, vm: string | null): readonly Row[] => {
	const ours = <T extends { readonly vm: { readonly uuid: string } }>(one: T): boolean =>
		vm === null || one.vm.uuid === vm;
	const backups = (state.data.backups ?? []).filter(ours);
	const byId = new Map(backups.map((backup) => [backup.id, backup]));
	const chains = (state.data.chains ?? []).filter(ours).toReversed();
	const shown = chains.flatMap((chain) => {
		const members = chain.backups.flatMap((id) => byId.get(id) ?? []);
		return [chainRow(chain, members, vm === null), ...treeRows(members)];
	});
	const inChain = new Set(chains.flatMap((chain) => chain.backups));
	const alone = backups.filter((backup) => !inChain.has(backup.id));
	return [...shown, ...alone.map((backup) => backupRow(backup, "· "))];
};
