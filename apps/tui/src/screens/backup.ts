// One backup: what it is and where, how far it is proven, what it showed, and what depends on it.
import type { BackupBrief, BackupShown, Proof } from "@knib/core";
import { instant, short, size } from "@knib/core/text";
import type { State } from "../app/state.ts";
import { type Line, span } from "../view/frame.ts";
import { besideAside } from "../view/layout.ts";
import { minute, stateSpan } from "../view/signs.ts";
import { blockedRows } from "./blocked-rows.ts";
import { comesBack, seconds } from "./promise.ts";
import {
	emptyWords,
	fact,
	heading,
	longFact,
	type Row,
	type Screen,
	SENTENCES,
	sentence,
} from "./screen.ts";
import { screenOf } from "./screenshot.ts";

const kindText = ({ kind, reason }: BackupShown): string =>
	kind === null || reason.startsWith(kind) ? reason : `${kind}: ${reason}`;

const backupHead = (state: State, one: BackupShown, width: number): readonly Line[] => [
	[
		span(` ${one.vm.name} ${short(one.id)}  `, "bold"),
		stateSpan(one.status),
		span(one.pinned ? "  pinned" : "", "accent"),
	],
	fact("point in time", `${instant(one.pointInTime)} (${one.consistency ?? "-"})`),
	...longFact("kind", kindText(one), width),
	fact(
		"size",
		`${size(one.size)} of ${size(one.virtualSize)}, ${one.compressionStatus.toLowerCase()}`,
	),
	...longFact("where", `${one.repository ?? "-"}: ${one.path ?? "not reached from here"}`, width),
	...longFact("comes back", comesBack(state, one), width),
	...(one.error === null
		? []
		: longFact("error", `${one.error.message} (${one.error.code})`, width, "bad")),
	...one.warnings.flatMap((text) => longFact("warning", text, width, "warn")),
];

const LADDER: readonly (readonly [Proof["level"], string])[] = [
	["answered", "its command passed"],
	["booted", "its guest came up"],
	["checked", "its digests and images are sound"],
	["copied", "it was published and read back"],
];

/** The rungs from the highest; those not reached yet are shown too. */
const ladderRows = (one: BackupShown): readonly Row[] =>
	LADDER.map(([level, meaning]) => {
		const proof = one.proof.findLast((made) => made.level === level);
		if (proof === undefined)
			return sentence(`proof ${level}`, `${level.padEnd(9)} not yet: ${meaning}`, "dim");
		const took = proof.durationMs === 0 ? "" : ` in ${seconds(proof.durationMs)}`;
		return sentence(
			`proof ${level}`,
			`${level.padEnd(9)} ${minute(proof.at)} on ${proof.host}${took}: ${meaning}`,
			"good",
		);
	});

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const stepRows = (step: Readonly<Record<string, unknown>>, index: number): readonly Row[] => {
	const ok = step["ok"] === true;
	const word = step["skipped"] === true ? "skipped" : ok ? "ok" : "FAILED";
	const output = text(step["output"]).trimEnd();
	const printed = output === "" ? [] : output.split("\n").slice(0, 20);
	return [
		sentence(
			`step ${index}`,
			`${text(step["step"])} ${word}: ${text(step["message"])}`,
			ok ? "good" : "bad",
		),
		...printed.map((line, at) => sentence(`step ${index} ${at}`, `    ${line}`, "plain", false)),
	];
};

const diskRows = (one: BackupShown): readonly Row[] => [
	heading("DISKS"),
	...one.disks.map((disk) =>
		sentence(
			`disk ${disk.target}`,
			`${disk.target}  ${size(disk.size)} of ${size(disk.virtualSize)}  ${disk.layer} on ${disk.parentLayer === null ? "nothing" : "its parent's"}  sha256 ${disk.sha256.slice(0, 12)}…`,
		),
	),
	...one.skipped.map((disk) =>
		sentence(`skipped ${disk.target}`, `${disk.target} was skipped: ${disk.reason}`, "warn"),
	),
];

/** All that would be lost with a backup: what stands on it, and on that. */
const dependents = (state: State, id: string): readonly BackupBrief[] => {
	const all = (state.data.backups ?? []).toReversed();
	const ids = new Set([id]);
	return all.filter((one) => {
		const stands = one.parent !== null && ids.has(one.parent);
		if (stands) ids.add(one.id);
		return stands;
	});
};

const dependentRows = (state: State, id: string): readonly Row[] => {
	const above = dependents(state, id);
	return [
		heading(`DEPEND ON IT: ${above.length}`),
		...above.map(
			(one): Row => ({
				...sentence(one.id, `${short(one.id)} ${minute(one.createdAt)} ${one.status}`),
				open: { screen: "backup", id: one.id },
			}),
		),
	];
};

const chainRow = (one: BackupShown): readonly Row[] =>
	one.chain === null
		? []
		: [
				heading("STANDS IN"),
				{
					...sentence("chain", `chain ${short(one.chain)}, number ${one.sequence ?? "-"}`),
					target: { kind: "chain", id: one.chain },
					open: { screen: "chain", id: one.chain },
				},
			];

export const backup: Screen = {
	title: (_, route) => `Backup ${short(route.id)}`,
	target: ({ id }) => (id === null ? null : { kind: "backup", id }),
	body: (state, { id }, width) => {
		const found = state.details[id ?? ""];
		const shape = { sortable: false, columns: SENTENCES, empty: "" };
		if (found === undefined) {
			const listed = state.data.backups?.some((one) => one.id === id) === true;
			const gone = listed ? "reading…" : "it is not there any more";
			return { ...shape, head: [fact("backup", emptyWords(state, "backups", gone))], rows: [] };
		}
		const message = text(found.validationMessage);
		return {
			...shape,
			head: backupHead(state, found, besideAside(width)),
			aside: screenOf(state, found.id),
			rows: [
				heading("LADDER OF PROOF"),
				...ladderRows(found),
				heading(`VALIDATION: ${found.validationStatus}`),
				...(message === "" ? [] : [sentence("message", message, "warn")]),
				...found.validation.flatMap(stepRows),
				...(found.validation.length === 0
					? [sentence("none", "none yet: v starts one", "dim")]
					: []),
				...diskRows(found),
				...chainRow(found),
				...dependentRows(state, found.id),
				...blockedRows(state.blocked[found.id]),
			],
		};
	},
};
