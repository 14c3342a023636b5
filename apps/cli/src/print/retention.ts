import type { RetentionPointView, RetentionView } from "@knib/core";
import { table } from "./table.ts";
import { instant, short, size } from "./text.ts";

type Row = RetentionPointView & { readonly vm: string };

const COLUMNS = [
	{ head: "VM", cell: (row: Row) => row.vm },
	{ head: "BACKUP", cell: (row: Row) => short(row.id) },
	{ head: "POINT IN TIME", cell: (row: Row) => instant(row.pointInTime) },
	{ head: "KIND", cell: (row: Row) => row.kind },
	{ head: "SIZE", cell: (row: Row) => size(row.size) },
	{ head: "OFFERING", cell: (row: Row) => row.offering },
	{ head: "SCHEDULE", cell: (row: Row) => row.schedule },
	{ head: "VERDICT", cell: (row: Row) => (row.keep ? "keep" : "remove") },
	{ head: "REASON", cell: (row: Row) => row.reasons.join(", ") },
];

/** Every restore point with what becomes of it. */
export const retentionText = (vms: readonly RetentionView[]): string => {
	const rows = vms.flatMap(({ vm, backups }) => backups.map((one) => ({ ...one, vm: vm.name })));
	return rows.length === 0 ? "there is no backup to judge" : table(rows, COLUMNS);
};
