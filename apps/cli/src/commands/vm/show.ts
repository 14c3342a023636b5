import type { KeptDisks } from "@knib/core";
import { Args } from "@oclif/core";
import { KnibCommand } from "../../base-command.ts";
import { facts, table } from "../../print/table.ts";
import { instant, short, size } from "../../print/text.ts";
import { restorePromiseText } from "../../print/validation.ts";

const keptText =
	(vm: string) =>
	({ disks, backup, at }: KeptDisks): string => {
		const undo = disks === "old" ? `\`knib restore undo ${vm}\` goes back to them, ` : "";
		return `${disks} disks beside the restore of ${short(backup)} at ${instant(at)}: ${undo}\`knib restore confirm ${vm}\` frees them`;
	};

export default class VmShow extends KnibCommand {
	static override summary = "show one VM: its disks, its chain, what was set for it";
	static override args = { vm: Args.string({ description: "name or uuid", required: true }) };

	async run(): Promise<void> {
		const { flags, args } = await this.parse(VmShow);
		const vm = await this.connected(flags, ({ api }) => api.vm.show.query(args));
		if (vm.asOf != null)
			this.showWarnings([
				`host ${vm.host} does not answer for it: shown as of ${instant(vm.asOf)}`,
			]);
		this.show(flags, vm, (view) =>
			[
				facts([
					["name", view.name],
					["uuid", view.uuid],
					["state", view.asOf == null ? view.state : `${view.state}, as of ${instant(view.asOf)}`],
					["offering", view.offering],
					["chain", view.chain === null ? null : short(view.chain)],
					[
						"last backup",
						view.lastBackup === null
							? "none"
							: `${short(view.lastBackup.id)} ${instant(view.lastBackup.at)}`,
					],
					[
						"proof",
						view.lastProof === null
							? null
							: `${view.lastProof.level} ${instant(view.lastProof.at)}`,
					],
					["promise", restorePromiseText(view.promise)],
					["at risk", view.atRisk.join("; ")],
					["notes", view.notes.join("; ")],
					["kept", view.kept.map(keptText(view.name)).join("; ")],
					...Object.entries(view.policy).map(([key, value]) => [key, String(value)] as const),
				]),
				table(view.disks, [
					{ head: "DISK", cell: (disk) => disk.target },
					{ head: "FORMAT", cell: (disk) => disk.format },
					{
						head: "SIZE",
						cell: (disk) => (disk.virtualSize === null ? null : size(disk.virtualSize)),
					},
					{ head: "PATH", cell: (disk) => disk.path },
					{ head: "SKIPPED", cell: (disk) => disk.skipped },
				]),
			].join("\n\n"),
		);
	}
}
