import { short, size } from "@knib/core/text";
import { span } from "../view/frame.ts";
import { minute, stateSpan } from "../view/signs.ts";
import { proofCell } from "./chain-rows.ts";
import { emptyWords, noTarget, type Screen } from "./screen.ts";

/** All backups, newest first, as a flat list that can be sorted. */
export const backups: Screen = {
	title: (state) => `Backups ${state.data.backups?.length ?? ""}`.trimEnd(),
	target: noTarget,
	body: (state) => ({
		head: [],
		sortable: true,
		columns: [
			{ head: "BACKUP", width: 8 },
			{ head: "VM", width: 18, grows: true },
			{ head: "KIND", width: 11, from: 90 },
			{ head: "SIZE", width: 9, right: true, from: 60 },
			{ head: "PROOF", width: 11 },
			{ head: "CHAIN", width: 8, from: 100 },
			{ head: "CREATED", width: 16, from: 60 },
			{ head: "STATE", width: 0 },
		],
		empty: emptyWords(state, "backups", "no backups yet: on a VM (2), b starts one"),
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
					{ ...proofCell(backup), key: backup.proof?.at ?? "" },
					span(short(backup.chain), "dim"),
					span(minute(backup.createdAt)),
					stateSpan(backup.status),
				];
			},
		})),
	}),
};
