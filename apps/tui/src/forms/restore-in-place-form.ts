import { short } from "@knib/core/text";
import { jobAct, quoted } from "../app/acts.ts";
import { type FormKind, flag, isOn } from "./form.ts";

/** A restore over a VM's own disks. */
export const restoreInPlaceForm: FormKind = {
	open: (state, { id }) => {
		const backup = state.data.backups?.find((one) => one.id === id);
		if (backup === undefined) return null;
		const vm = state.data.vms?.find((one) => one.uuid === backup.vm.uuid);
		return {
			title: `restore backup ${short(id)} over the disks of ${backup.vm.name}`,
			notes: [
				`${backup.vm.name} is ${vm?.state ?? "not here"}`,
				"its disks are set aside and kept, so that one can go back",
			],
			fields: [
				flag("shutdown", "shut down", false, "where the VM runs; else a running VM is refused"),
				flag(
					"quick",
					"quick",
					false,
					"run at once over the repository's layers, pulled in meanwhile",
				),
				flag("start", "start it", false, "once it is complete and checked"),
			],
		};
	},
	act: (state, form) => {
		const { id } = form.target;
		const name = state.data.backups?.find((one) => one.id === id)?.vm.name ?? id;
		const [shutdown, start] = [isOn(form, "shutdown"), isOn(form, "start")];
		const quick = isOn(form, "quick");
		const cli = [
			`knib restore vm ${short(id)}`,
			...(shutdown ? ["--shutdown"] : []),
			...(start ? ["--start"] : []),
			...(quick ? ["--quick"] : []),
		].join(" ");
		const request = {
			type: "Restore",
			mode: "in-place",
			backup: id,
			shutdown,
			start,
			quick,
		} as const;
		return jobAct(form.title, cli, request, {
			consequences: [
				`what ${name} wrote since is no longer on its disks; its chain ends`,
				...(shutdown ? [`${name} is shut down`] : []),
			],
			word: name,
			undo: `knib restore undo ${quoted(name)}`,
		});
	},
};
