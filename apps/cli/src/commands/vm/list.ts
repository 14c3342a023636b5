import type { VmView } from "@knib/core";
import { KnibCommand } from "../../base-command.ts";
import { table } from "../../print/table.ts";
import { instant } from "../../print/text.ts";

const COLUMNS = [
	{ head: "NAME", cell: (vm: VmView) => vm.name },
	{ head: "HOST", cell: (vm: VmView) => vm.host },
	{
		head: "STATE",
		cell: (vm: VmView) => (vm.asOf == null ? vm.state : `${vm.state}, as of ${instant(vm.asOf)}`),
	},
	{ head: "OFFERING", cell: (vm: VmView) => vm.offering },
	{ head: "DISKS", cell: (vm: VmView) => vm.disks.length },
	{ head: "LAST BACKUP", cell: (vm: VmView) => instant(vm.lastBackup?.at ?? null) },
	{ head: "PROOF", cell: (vm: VmView) => vm.lastProof?.level ?? null },
	{ head: "AT RISK", cell: (vm: VmView) => [...vm.atRisk, ...vm.notes].join("; ") || null },
];

export default class VmList extends KnibCommand {
	static override summary = "list the VMs of all hosts with their last backup and what is at risk";

	async run(): Promise<void> {
		const { flags } = await this.parse(VmList);
		const { vms, warnings } = await this.connected(flags, ({ api }) => api.vm.inventory.query());
		this.show(flags, vms, (all) => table(all, COLUMNS));
		this.showWarnings(warnings);
	}
}
