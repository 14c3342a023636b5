// Chains as trees: a chain, then its backups oldest first, then what belongs to no chain.
import type { BackupView, ChainView } from "@knib/core";
import { short, size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { span } from "../view/frame.ts";
import { minute, signOf, stateSpan } from "../view/signs.ts";
import type { Cell, Column, Row } from "./screen.ts";

/** Columns of a tree of chains. */
export const CHAIN_COLUMNS: readonly Column[] = [
	{ head: "CHAIN / BACKUP", width: 20 },
	{ head: "KIND", width: 11 },
	{ head: "SIZE", width: 10, right: true },
	{ head: "PROOF", width: 12 },
	{ head: "STATE", width: 13 },
	{ head: "POINT IN TIME", width: 0 },
];

const LADDER = ["copied", "read", "booted", "answered"];

/** The highest proof of a backup. */
export const proofCell = (backup: BackupView): Cell => {
	const best = backup.proof.reduce<string | null>(
		(best, { level }) =>
			best === null || LADDER.indexOf(level) >= LADDER.indexOf(best) ? level : best,
		null,
	);
	if (backup.validationStatus === "NotValid") return span(`${signOf("bad")} NotValid`, "bad");
	return best === null ? span("-", "dim") : span(best, best === "copied" ? "plain" : "good");
};

const flagsOf = (backup: BackupView): string =>
	[
		backup.pinned ? "pinned" : "",
		backup.compressionStatus === "Uncompressed" ? "" : backup.compressionStatus,
		...backup.labels,
	]
		.filter((text) => text !== "")
		.join(", ");

/** A backup as the cells of a tree. */
export const backupRow = (backup: BackupView, branch: string): Row => ({
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
			span(`${minute(backup.pointInTime ?? backup.createdAt)}  ${flagsOf(backup)}`, "plain"),
		];
	},
});

const chainRow = (chain: ChainView, name: boolean): Row => ({
	id: chain.id,
	target: { kind: "chain", id: chain.id },
	open: null,
	cells: [
		span(`▾ ${short(chain.id)}`, "accent"),
		span(`${chain.backups.length} in chain`, "dim"),
		span(size(chain.size)),
		span(""),
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

/** The chains of a VM, or of all, newest chain first. */
export const chainRows = (state: State, vm: string | null): readonly Row[] => {
	const ours = <T extends { readonly vm: { readonly uuid: string } }>(one: T): boolean =>
		vm === null || one.vm.uuid === vm;
	const backups = (state.data.backups ?? []).filter(ours);
	const byId = new Map(backups.map((backup) => [backup.id, backup]));
	const chains = (state.data.chains ?? []).filter(ours).toReversed();
	const shown = chains.flatMap((chain) => {
		const members = chain.backups.flatMap((id) => byId.get(id) ?? []);
		const rows = members.map((one, index) =>
			backupRow(one, index === members.length - 1 ? "  └ " : "  ├ "),
		);
		return [chainRow(chain, vm === null), ...rows];
	});
	const inChain = new Set(chains.flatMap((chain) => chain.backups));
	const alone = backups.filter((backup) => !inChain.has(backup.id));
	return [...shown, ...alone.map((backup) => backupRow(backup, "· "))];
};
