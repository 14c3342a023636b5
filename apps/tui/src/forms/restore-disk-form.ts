import { short } from "@knib/core/text";
import { jobAct, quoted } from "../app/acts.ts";
import { type FormKind, flag, input, isOn, read } from "./form.ts";

/** One disk of a backup as a new disk of a VM. */
export const restoreDiskForm: FormKind = {
	open: (state, { id }) => {
		const backup = state.data.backups?.find((one) => one.id === id);
		if (backup === undefined) return null;
		const targets = state.details[id]?.disks.map(({ target }) => target) ?? [];
		return {
			title: `restore one disk of backup ${short(id)} of ${backup.vm.name}`,
			notes: [
				...(targets.length === 0 ? [] : [`its disks: ${targets.join(" ")}`]),
				"it is attached as a new disk, running or not; no disk that is there changes",
			],
			fields: [
				input("disk", "disk", targets[0] ?? "vda", "of the backup, such as vdb"),
				input("vm", "to VM", backup.vm.name, "name or uuid of the VM that gets it"),
				input("target", "as", "", "its name there, such as vdc; empty: the first free one"),
				flag(
					"quick",
					"quick",
					false,
					"attach at once over the repository's layers, pulled in meanwhile",
				),
			],
		};
	},
	act: (_, form) => {
		const [disk, vm, target] = [read(form, "disk"), read(form, "vm"), read(form, "target")];
		if (disk === "" || vm === "") return "name the disk and the VM that gets it";
		const quick = isOn(form, "quick");
		const cli = [
			`knib restore disk ${short(form.target.id)} ${quoted(disk)} --to ${quoted(vm)}`,
			...(target === "" ? [] : [`--target ${quoted(target)}`]),
			...(quick ? ["--quick"] : []),
		].join(" ");
		return jobAct(form.title, cli, {
			...{ type: "RestoreDisk", backup: form.target.id, disk, vm, quick },
			...(target === "" ? {} : { target }),
		});
	},
};
