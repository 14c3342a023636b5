import type { BackupShown, BackupView } from "@knib/core";
import { backupArg, backupOfFlag } from "../../backup-arg.ts";
import { KnibCommand } from "../../base-command.ts";
import { facts, table } from "../../print/table.ts";
import { instant, short, size } from "../../print/text.ts";
import { restorePromiseText, validationStepText } from "../../print/validation.ts";

const validationText = (backup: BackupView): string => {
	const why = backup.validationMessage ?? "";
	return `${backup.validationStatus}${why === "" ? "" : `: ${why}`}`;
};

const promiseText = ({ validated }: BackupView): string | null =>
	restorePromiseText(
		validated === null || validated === undefined
			? null
			: { bootMs: validated.agentMs, answerMs: validated.answerMs, pullBytesPerSecond: null },
	);

const text = (backup: BackupShown): string => {
	const proofs = backup.proof.map((proof) => `${proof.level} ${instant(proof.at)}`);
	const head = facts([
		["id", backup.id],
		["vm", `${backup.vm.name} (${backup.vm.uuid})`],
		["host", backup.host],
		["status", backup.status],
		["kind", backup.kind],
		["reason", backup.reason],
		["error", backup.error === null ? null : `${backup.error.message} (${backup.error.code})`],
		["point in time", instant(backup.pointInTime)],
		["consistency", backup.consistency],
		["chain", backup.chain === null ? null : `${short(backup.chain)}, number ${backup.sequence}`],
		["parent", backup.parent === null ? null : short(backup.parent)],
		["proof", proofs.join(", ")],
		["compression", backup.compressionStatus],
		["validation", validationText(backup)],
		...backup.validation.map((step) => ["step", validationStepText(step)] as const),
		["promise", promiseText(backup)],
		["size", `${size(backup.size)} of ${size(backup.virtualSize)}`],
		["labels", backup.labels.join(", ")],
		["offering", backup.offering],
		["repository", backup.repository],
		["path", backup.path],
		["pinned", backup.pinned ? "yes" : null],
		...backup.blocked.map(
			({ action, reason }) => ["cannot be done", `${action}: ${reason}`] as const,
		),
		...backup.skipped.map((disk) => ["skipped", `${disk.target}: ${disk.reason}`] as const),
	]);
	const disks = table(backup.disks, [
		{ head: "DISK", cell: (disk) => disk.target },
		{ head: "LAYER", cell: (disk) => disk.layer },
		{ head: "SIZE", cell: (disk) => size(disk.size) },
		{ head: "VIRTUAL", cell: (disk) => size(disk.virtualSize) },
		{ head: "PARENT", cell: (disk) => disk.parentLayer },
	]);
	return backup.disks.length === 0 ? head : `${head}\n\n${disks}`;
};

export default class BackupShow extends KnibCommand {
	static override summary = "show one backup: layers, sizes, proof, where it lies";
	static override args = {
		backup: backupArg,
	};
	static override flags = { vm: backupOfFlag };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(BackupShow);
		const vm = flags.vm === undefined ? {} : { vm: flags.vm };
		const backup = await this.connected(flags, ({ api }) =>
			api.backup.show.query({ backup: args.backup, ...vm }),
		);
		this.show(flags, backup, text);
	}
}
