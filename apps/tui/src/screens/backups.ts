import type { BackupView } from "@knib/core";
import { instant, short, size } from "@knib/core/text";
import { type Line, span } from "../view/frame.ts";
import { minute, stateSpan } from "../view/signs.ts";
import { CHAIN_COLUMNS, chainRows, proofCell } from "./chain-rows.ts";
import {
	emptyWords,
	fact,
	heading,
	noTarget,
	type Row,
	type Screen,
	SENTENCES,
	sentence,
} from "./screen.ts";

/** Chains of all VMs as trees. */
export const chains: Screen = {
	title: () => "Chains",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: false,
		columns: CHAIN_COLUMNS,
		empty: emptyWords(state, "chains", "no chains yet"),
		rows: chainRows(state, null),
	}),
};

/** All backups as a flat list that can be sorted. */
export const backups: Screen = {
	title: () => "Backups",
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: true,
		columns: [
			{ head: "BACKUP", width: 8 },
			{ head: "VM", width: 16 },
			{ head: "KIND", width: 11 },
			{ head: "SIZE", width: 10, right: true },
			{ head: "PROOF", width: 11 },
			{ head: "CHAIN", width: 8, from: 100 },
			{ head: "STATE", width: 0 },
			{ head: "CREATED", width: 16, from: 100 },
		],
		empty: emptyWords(state, "backups", "no backups yet"),
		rows: (state.data.backups ?? []).map((backup) => ({
			id: backup.id,
			target: { kind: "backup", id: backup.id },
			open: { screen: "backup", id: backup.id },
			get cells() {
				return [
					span(short(backup.id), "dim"),
					span(backup.vm.name, "bold"),
					span(backup.kind ?? "-"),
					{ ...span(size(backup.size)), key: backup.size },
					proofCell(backup),
					span(short(backup.chain), "dim"),
					stateSpan(backup.status),
					span(minute(backup.createdAt)),
				];
			},
		})),
	}),
};

const backupHead = (one: BackupView): readonly Line[] => [
	[
		span(` ${one.vm.name} ${short(one.id)}  `, "bold"),
		stateSpan(one.status),
		span(one.pinned ? "  pinned" : "", "accent"),
	],
	fact("point in time", `${instant(one.pointInTime)} (${one.consistency ?? "-"})`),
	fact("kind", `${one.kind ?? "-"}: ${one.reason}`),
	fact(
		"size",
		`${size(one.size)}, uncompressed ${size(one.uncompressedSize)}, virtual ${size(one.virtualSize)}, ${one.compressionStatus}`,
	),
	fact("where", `${one.repository ?? "-"} ${one.path ?? ""}`),
	...(one.error === null ? [] : [fact("error", `${one.error.message} (${one.error.code})`, "bad")]),
	...one.warnings.map((text) => fact("warning", text, "warn")),
];

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const stepRow = (step: Readonly<Record<string, unknown>>, index: number): Row => {
	const ok = step["ok"] === true;
	const word = step["skipped"] === true ? "skipped" : ok ? "ok" : "FAILED";
	return sentence(
		`step ${index}`,
		`${text(step["step"])} ${word}: ${text(step["message"])}`,
		ok ? "good" : "bad",
	);
};

const proofRows = (one: BackupView): readonly Row[] => [
	heading("LADDER OF PROOF"),
	...one.proof.map((proof, index) =>
		sentence(
			`proof ${index}`,
			`${proof.level} ${minute(proof.at)} on ${proof.host} (${(proof.durationMs / 1000).toFixed(1)} s)`,
			"good",
		),
	),
	...(one.proof.length === 0 ? [sentence("no proof", "none", "warn")] : []),
	heading(`VALIDATION: ${one.validationStatus}`),
	...(text(one.validationMessage) === ""
		? []
		: [sentence("message", text(one.validationMessage), "warn")]),
	...one.validation.map(stepRow),
];

const diskRows = (one: BackupView): readonly Row[] => [
	heading("DISKS"),
	...one.disks.map((disk) =>
		sentence(
			`disk ${disk.target}`,
			`${disk.target}  ${size(disk.size)} of ${size(disk.virtualSize)}  ${disk.layer}  on ${disk.parentLayer ?? "nothing"}  sha256 ${disk.sha256.slice(0, 12)}…`,
		),
	),
	...one.skipped.map((disk) =>
		sentence(`skipped ${disk.target}`, `${disk.target} was skipped: ${disk.reason}`, "warn"),
	),
];

/** One backup: its proof, its disks, what stands on it, and what cannot be done with it now. */
export const backup: Screen = {
	title: (_, route) => `Backup ${short(route.id)}`,
	target: ({ id }) => (id === null ? null : { kind: "backup", id }),
	body: (state, route) => {
		const found = state.data.backups?.find((one) => one.id === route.id);
		const none = { sortable: false, columns: SENTENCES, empty: "" };
		if (found === undefined) {
			return {
				...none,
				head: [fact("backup", emptyWords(state, "backups", "it is not there any more"))],
				rows: [],
			};
		}
		const above = (state.data.backups ?? []).filter((one) => one.parent === found.id);
		const blocked = state.blocked[found.id];
		return {
			...none,
			head: backupHead(found),
			rows: [
				...proofRows(found),
				...diskRows(found),
				heading("CANNOT BE DONE NOW"),
				...(blocked === undefined
					? [sentence("asking", "asking…", "dim")]
					: blocked.map((one) =>
							sentence(`blocked ${one.action}`, `${one.action}: ${one.reason}`, "warn"),
						)),
				...(blocked?.length === 0 ? [sentence("free", "nothing stands in the way", "good")] : []),
				heading("STANDS ON IT"),
				...above.map(
					(one): Row => ({
						...sentence(one.id, `${short(one.id)} ${minute(one.createdAt)} ${one.status}`),
						open: { screen: "backup", id: one.id },
					}),
				),
				...(above.length === 0 ? [sentence("nothing above", "nothing", "dim")] : []),
			],
		};
	},
};
